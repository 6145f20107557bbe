/** Opens the vault that was chosen: by password, second factor where it has one, or recovery key. */
import type { RemoteVault } from "keyward/client";
import type { App } from "../app";
import { h } from "../dom";
import { checkbox, form, secretField } from "../fields";
import { keyGlyph } from "../icons";
import { ProblemError } from "../problems";
import { take, takeOptional, wipe } from "../secrets";
import type { Screen } from "../screens";
import type { SealedVault } from "../store";
import { keepAsking } from "./keep";
import { unsavedPlace } from "./unsaved";

export function unlockView(app: App, way: "password" | "recovery"): readonly Node[] {
  const { sealed } = app.session;
  if (sealed === undefined) {
    return [h("p", {}, "No vault is chosen."), back(app)];
  }
  const keeping = checkbox("Keep the encrypted vault in this browser", app.session.kept);
  keeping.row.hidden = app.session.kept;
  const other = way === "password" ? "recovery" : "password";
  return [
    h(
      "div",
      { class: "whose" },
      keyGlyph(sealed.id),
      h("p", {}, h("strong", {}, sealed.name), h("code", { title: sealed.id }, sealed.id.slice(0, 8))),
    ),
    unsavedPlace(app),
    way === "password" ? passwordForm(app, sealed, keeping) : recoveryForm(app, sealed, keeping),
    h(
      "button",
      { type: "button", class: "quiet", on: { click: () => app.go({ at: "unlock", way: other }) } },
      way === "password" ? "Use the recovery key instead" : "Use the password instead",
    ),
  ];
}

type Keeping = ReturnType<typeof checkbox>;

function passwordForm(app: App, sealed: SealedVault, keeping: Keeping): HTMLElement {
  const password = secretField({ label: "Password" });
  const second = secretField({
    label: "Second factor",
    hint: "32 bytes as base64 or hex: what the console has in KEYWARD_ENCRYPTION_KEY.",
  });
  second.row.hidden = true;
  password.input.setAttribute("data-first", "");
  void app.session
    .ask((client) => client.describeVault(sealed.file))
    .then(
      ({ needsSecondFactor }) => (second.row.hidden = !needsSecondFactor),
      () => undefined, // Opening says what is wrong with the file.
    );
  return form({
    label: "Unlock",
    submit: "Unlock",
    busy: "Unlocking…",
    fields: { password, second },
    body: [password.row, second.row, keeping.row],
    beside: [back(app)],
    act: async () => {
      const from = app.screen;
      if (password.input.value === "") {
        throw new ProblemError("nothing", "password", "The password is empty.", "Type it.");
      }
      const given = take(password.input);
      const factor = takeOptional(second.input);
      try {
        const vault = await app.session.open((client) =>
          client.openVault(sealed.file, given, factor === undefined ? {} : { secondFactor: factor }),
        );
        await opened(app, from, vault, sealed, keeping.input.checked);
      } catch (thrown) {
        second.row.hidden &&= (thrown as { code?: unknown }).code !== "second-factor-missing";
        throw thrown;
      } finally {
        wipe(given, factor);
      }
    },
  });
}

function recoveryForm(app: App, sealed: SealedVault, keeping: Keeping): HTMLElement {
  const recovery = secretField({ label: "Recovery key", hint: "As you wrote it down." });
  recovery.input.setAttribute("data-first", "");
  return form({
    label: "Unlock with the recovery key",
    submit: "Unlock",
    busy: "Unlocking…",
    fields: { recovery, password: recovery },
    body: [recovery.row, keeping.row],
    beside: [back(app)],
    act: async () => {
      const from = app.screen;
      const given = take(recovery.input);
      try {
        const vault = await app.session.open((client) => client.openVaultWithRecovery(sealed.file, given));
        await opened(app, from, vault, sealed, keeping.input.checked);
      } catch (thrown) {
        if ((thrown as { code?: unknown }).code === "refused-to-open") {
          throw new ProblemError(
            "refused-to-open",
            "recovery",
            "It did not open: this is not its recovery key, or the file is damaged.",
            "Compare it with your paper, character by character.",
          );
        }
        throw thrown;
      } finally {
        wipe(given);
      }
    },
  });
}

/** Shows the vault that was opened, unless its person has gone elsewhere meanwhile: then it is closed again. */
async function opened(app: App, from: Screen, vault: RemoteVault, sealed: SealedVault, keeping: boolean): Promise<void> {
  if (app.screen !== from) {
    await vault.free();
    return;
  }
  const wasKept = app.session.kept;
  app.session.adopt(vault, sealed, wasKept ? "kept" : "file");
  app.go({ at: "vault", part: "accounts" });
  if (keeping && !wasKept) {
    await keepAsking(app);
  }
}

function back(app: App): HTMLElement {
  return h("button", { type: "button", on: { click: () => app.go({ at: "start" }) } }, "Another vault");
}
