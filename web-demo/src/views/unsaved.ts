/** What is in no file and not kept: said until it is saved. */
import type { App } from "../app";
import { h } from "../dom";
import { explain, ProblemError } from "../problems";
import { download } from "../vault-file";
import { confirmed } from "./confirm";

/** Marks where it is said. */
const PLACE = "unsaved";

/** Hands the vault as it is now to the browser as a file, whatever becomes of the copy that is kept here. */
export async function saveToFile(app: App): Promise<void> {
  const { session } = app;
  const sealed = await session.export();
  if (sealed === undefined) {
    return;
  }
  download(sealed);
  session.saved(sealed);
  showUnsaved(app);
  app.announce("The file was handed to the browser.");
  if (session.kept && session.isOpen) {
    await session.keep();
  }
}

/** After a change, which is done: what could not be kept is a notice and no failure of the change. */
export async function saveChange(app: App): Promise<void> {
  try {
    await app.session.save();
  } catch (thrown) {
    if (!(thrown instanceof ProblemError)) {
      throw thrown;
    }
    app.notice = `${thrown.problem.cause} ${thrown.problem.remedy}`;
  }
}

/** Where it is said that something is not saved yet, as it is now. */
export function unsavedPlace(app: App): HTMLElement {
  const place = h("div", { class: PLACE });
  fill(app, place);
  return place;
}

/** Brings what the screen says up to date. */
export function showUnsaved(app: App): void {
  const place = document.querySelector<HTMLElement>(`.${PLACE}`);
  if (place !== null && place.hasChildNodes() !== app.session.unsaved) {
    fill(app, place);
  }
}

function fill(app: App, place: HTMLElement): void {
  place.replaceChildren(...(app.session.unsaved && app.session.sealed !== undefined ? [notice(app, app.session.sealed.name)] : []));
}

function notice(app: App, name: string): HTMLElement {
  const error = h("p", { class: "error", role: "alert" });
  const save = async (): Promise<void> => {
    try {
      await saveToFile(app);
    } catch (thrown) {
      const { cause, remedy } = explain(thrown);
      error.replaceChildren(h("strong", {}, cause), " ", remedy);
    }
  };
  return h(
    "div",
    { class: "notice", role: "status" },
    h("p", {}, h("strong", {}, `Not saved yet: “${name}”. `), "It is lost when this page is closed. Save it to a file."),
    error,
    h("button", { type: "button", on: { click: () => void save() } }, "Save to a file now"),
  );
}

/** Whether what is not saved may be given up for another vault. */
export async function mayLeave(app: App): Promise<boolean> {
  return (
    !app.session.unsaved ||
    app.session.sealed === undefined ||
    (await confirmed({
      title: "Leave the vault that is not saved?",
      text: `“${app.session.sealed.name}” is in no file and not kept here. Whatever only it has is lost for good.`,
      acknowledge: "I do not need it, or I have its phrase",
      confirm: "Leave it",
      cancel: "Go back",
    }))
  );
}
