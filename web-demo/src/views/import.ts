/** A phrase or key from elsewhere, as the beginning of a new vault. */
import type { App } from "../app";
import { h } from "../dom";
import { form } from "../fields";
import { KeyFields, type KeyInput } from "../key-fields";
import { ProblemError } from "../problems";
import { wipe } from "../secrets";

export function importView(app: App): readonly Node[] {
  const key = new KeyFields();
  return [
    h("p", { class: "lede" }, "It goes into a new vault under a password that you choose next. It does not leave this device."),
    form({
      label: "Import",
      submit: "Continue",
      busy: "Reading…",
      fields: key.fields,
      body: key.body(),
      beside: [h("button", { type: "button", on: { click: () => app.go({ at: "start" }) } }, "Cancel")],
      act: async () => {
        const input = key.read();
        try {
          const phrase = await isPhrase(app, input);
          app.draft = phrase ? { kind: "phrase", secret: input.secret, fresh: false } : { kind: "key", ...input };
        } catch (thrown) {
          wipe(input.secret, input.password);
          throw thrown;
        }
        key.empty();
        app.go({ at: "protect" });
      },
    }),
  ];
}

/** Whether it is a phrase. What looks like one and is not says why at once, rather than after a password was chosen. */
async function isPhrase(app: App, { secret, format }: KeyInput): Promise<boolean> {
  if (format !== undefined && format !== "phrase") {
    return false;
  }
  const check = await app.session.ask((client) => client.validateMnemonic(secret));
  if (check.valid) {
    return true;
  }
  if (format === "phrase" || looksLikeWords(secret)) {
    throw Object.assign(new Error(check.message), { code: check.code, position: check.position });
  }
  if (check.code === "too-long") {
    return false;
  }
  if (secret.every((byte) => byte > 0x20 && byte < 0x7f) && secret.length < 32) {
    throw new ProblemError("key-file", "key", "This is too short for a phrase or key.", "Paste it whole.");
  }
  return false;
}

/** Several runs without digits or brackets; no key file looks so. */
function looksLikeWords(secret: Uint8Array): boolean {
  const blanks = secret.reduce((count, byte) => count + (byte === 0x20 ? 1 : 0), 0);
  const isCode = secret.some((byte) => (byte >= 0x30 && byte <= 0x39) || byte === 0x5b || byte === 0x7b);
  return blanks >= 2 && !isCode;
}
