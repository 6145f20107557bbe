/** Keeps the open vault in this browser, asking first where another state of it would be lost. */
import type { App } from "../app";
import { ProblemError } from "../problems";
import { confirmed } from "./confirm";
import { showUnsaved } from "./unsaved";

/** Tells in words what came of it. */
export async function keepAsking(app: App): Promise<void> {
  try {
    await app.session.keep().catch(async (thrown: unknown) => {
      if (!(thrown instanceof ProblemError) || thrown.problem.code !== "conflict" || !(await mayReplace())) {
        throw thrown;
      }
      await app.session.keep("anything");
    });
    app.announce("The encrypted vault is kept in this browser.");
  } catch (thrown) {
    if (!(thrown instanceof ProblemError)) {
      throw thrown;
    }
    app.notice = `${thrown.problem.cause} ${thrown.problem.remedy}`;
  }
  showUnsaved(app);
  // Both show something else now: the notice, or the other button.
  if (app.screen.at === "vault" && (app.notice !== "" || app.screen.part === "manage")) {
    app.go(app.screen);
  }
}

function mayReplace(): Promise<boolean> {
  return confirmed({
    title: "Replace what is kept here?",
    text: "This browser keeps another state of the same vault. Keeping this one replaces it: wallets that only the other one has are lost.",
    acknowledge: "This vault is the newer one",
    confirm: "Replace it",
    cancel: "Leave it as it is",
  });
}
