/** Changes to the vault, its file, and what this browser keeps of it. */
import type { App } from "../app";
import { h, type Child } from "../dom";
import { form, secretField, selectField, textField } from "../fields";
import { KeyFields } from "../key-fields";
import { newPassword } from "../passwords";
import { explain, ProblemError } from "../problems";
import { take, takeOptional, wipe } from "../secrets";
import { IDLE_MINUTES } from "../session";
import { confirmed } from "./confirm";
import { keepAsking } from "./keep";
import { importOptions } from "./protect";
import { saveChange, saveToFile, showUnsaved } from "./unsaved";

export function managePart(app: App): readonly Node[] {
  return [
    card("File", "The encrypted vault as a file. It opens in the console as well.", fileTools(app)),
    card("Add a key", "It is encrypted into this vault.", addKey(app)),
    card("Change the password", "Files saved before still open with the old password.", changePassword(app)),
    card("Automatic lock", "Counts from the last use. A page that is out of sight for a minute locks as well.", idle(app)),
  ];
}

function card(title: string, hint: string, ...body: readonly Child[]): HTMLElement {
  return h("details", { class: "card" }, h("summary", {}, title), h("p", { class: "hint" }, hint), ...body);
}

function fileTools(app: App): HTMLElement {
  const problem = h("p", { class: "error", role: "alert" });
  const attempt = (work: () => Promise<void>) => async (): Promise<void> => {
    problem.replaceChildren();
    try {
      await work();
    } catch (thrown) {
      const { cause, remedy } = explain(thrown);
      problem.replaceChildren(h("strong", {}, cause), " ", remedy);
    }
  };
  const save = attempt(() => saveToFile(app));
  const keep = attempt(() => keepAsking(app));
  return h(
    "div",
    {},
    problem,
    h(
      "div",
      { class: "actions" },
      h("button", { type: "button", class: "primary", on: { click: () => void save() } }, "Save to a file"),
      app.session.kept
        ? null
        : h("button", { type: "button", on: { click: () => void keep() } }, "Keep in this browser"),
    ),
    app.session.kept
      ? h(
          "div",
          { class: "apart" },
          h("p", { class: "hint" }, "This browser keeps a copy of the encrypted vault."),
          h(
            "button",
            { type: "button", class: "danger", on: { click: () => void attempt(() => forgetKept(app))() } },
            "Forget the kept copy",
          ),
        )
      : null,
  );
}

async function forgetKept(app: App): Promise<void> {
  const { sealed } = app.session;
  const sure =
    sealed !== undefined &&
    (await confirmed({
      title: "Forget the vault kept here?",
      text: "This browser’s copy is deleted and the vault is locked. Without the file or the phrase, everything in it is lost for good.",
      acknowledge: "I have its file or its phrase in another place",
      confirm: "Forget it",
      cancel: "Keep it",
    }));
  if (!sure) {
    return;
  }
  const gone = (await app.session.forget("own")) || ((await another()) && (await app.session.forget("anything")));
  if (gone) {
    await app.lock();
    app.announce("This browser keeps the vault no longer.");
  }
}

function another(): Promise<boolean> {
  return confirmed({
    title: "Another state is kept here",
    text: "Another tab has changed the vault that this browser keeps. Wallets that only that state has are lost with it.",
    acknowledge: "I have the other state in another place",
    confirm: "Forget it",
    cancel: "Keep it",
  });
}

function addKey(app: App): HTMLElement {
  const key = new KeyFields();
  const label = textField({ label: "Label", maxlength: 40 });
  return form({
    label: "Add a key",
    submit: "Add to the vault",
    busy: "Adding…",
    quiet: true,
    fields: key.fields,
    body: [...key.body(), label.row],
    act: async () => {
      const input = key.read();
      try {
        const added = await app.session.vault.importKey(input.secret, {
          ...importOptions(input),
          label: label.input.value.trim(),
        });
        key.empty();
        await saveChange(app);
        app.announce(added.length === 1 ? "One wallet was added." : `${added.length} wallets were added.`);
      } finally {
        wipe(input.secret, input.password);
      }
      app.go({ at: "vault", part: "accounts" });
    },
  });
}

function changePassword(app: App): HTMLElement {
  const current = secretField({ label: "Current password" });
  const next = newPassword("New password");
  const second = secretField({ label: "Second factor", hint: "Only if the vault has one; it stays the same." });
  const done = h("p", { class: "done", role: "status" });
  return h(
    "div",
    {},
    form({
      label: "Change the password",
      submit: "Change the password",
      busy: "Encrypting…",
      quiet: true,
      fields: { current, password: next.password, again: next.again, second },
      body: [current.row, ...next.rows, h("details", {}, h("summary", {}, "Second factor"), second.row)],
      act: async () => {
        done.textContent = "";
        const old = take(current.input);
        const factor = takeOptional(second.input);
        let fresh: Uint8Array | undefined;
        try {
          fresh = next.read();
          await app.session.vault.changePassword(old, fresh, factor === undefined ? {} : { secondFactor: factor });
          await saveChange(app);
        } catch (thrown) {
          if ((thrown as { code?: unknown }).code === "refused-to-open") {
            throw new ProblemError(
              "refused-to-open",
              "current",
              "The current password is wrong.",
              "Type it again; nothing was changed.",
            );
          }
          throw thrown;
        } finally {
          wipe(old, fresh, factor);
        }
        if (app.notice !== "") {
          app.notice = `The password was changed. ${app.notice}`;
          app.go(app.screen);
          return;
        }
        showUnsaved(app);
        done.textContent = "The password was changed. Save the vault to a file again, so that your copies have it too.";
      },
    }),
    done,
  );
}

function idle(app: App): HTMLElement {
  const minutes = selectField(
    { label: "Lock after" },
    IDLE_MINUTES.map((each) => [String(each), each === 1 ? "1 minute" : `${each} minutes`]),
  );
  minutes.input.value = String(app.session.idleMinutes);
  minutes.input.addEventListener("change", () => {
    app.session.idleMinutes = Number(minutes.input.value);
    app.announce("Holds from the next time that the vault is unlocked.");
  });
  return h("div", {}, minutes.row, h("p", { class: "hint" }, "Holds from the next time that the vault is unlocked."));
}
