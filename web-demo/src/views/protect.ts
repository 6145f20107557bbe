/** The password, and whatever else protects a new vault. */
import type { Client, RemoteVault } from "keyward/client";
import type { App, Draft } from "../app";
import { h } from "../dom";
import { checkbox, form, secretField, textField } from "../fields";
import { newPassword } from "../passwords";
import { ProblemError } from "../problems";
import { takeOptional, wipe } from "../secrets";
import { keepAsking } from "./keep";

export function protectView(app: App): readonly Node[] {
  const { draft } = app;
  const name = textField({ label: "Name of the vault", maxlength: 40 });
  name.input.value = "My vault";
  const chosen = newPassword("Password");
  const second = secretField({
    label: "Second factor",
    hint: "32 bytes as base64 or hex, as the console takes it in KEYWARD_ENCRYPTION_KEY. Without it the vault never opens again.",
  });
  const passphrase = secretField({
    label: "Passphrase of the phrase (BIP-39)",
    hint: "A “25th word”. Leave it empty unless you had one.",
  });
  const keeping = checkbox("Keep the encrypted vault in this browser", true);
  return [
    h("p", { class: "lede" }, "The password encrypts the vault. Nobody can reset it."),
    form({
      label: "Protection of the vault",
      submit: "Create the vault",
      busy: "Encrypting…",
      fields: { password: chosen.password, again: chosen.again, second },
      body: [
        name.row,
        ...chosen.rows,
        keeping.row,
        h("details", {}, h("summary", {}, "More options"), draft?.kind === "phrase" && passphrase.row, second.row),
      ],
      beside: [h("button", { type: "button", on: { click: () => app.go({ at: "start" }) } }, "Cancel")],
      act: async () => {
        const from = app.screen;
        const password = chosen.read();
        const extras = { passphrase: takeOptional(passphrase.input), secondFactor: takeOptional(second.input) };
        try {
          const drafted = app.draft;
          if (drafted === undefined) {
            throw new ProblemError("no-draft", undefined, "The phrase or key was wiped meanwhile.", "Go back and begin again.");
          }
          const vault = await app.session.open((client) => make(client, password, drafted, extras));
          const file = await vault.export();
          if (app.screen !== from) {
            // Its person cancelled while it was encrypted.
            await vault.free();
            return;
          }
          app.session.adopt(vault, { id: vault.id, name: name.input.value.trim() || "My vault", file }, "new");
        } finally {
          wipe(password, extras.passphrase, extras.secondFactor);
        }
        app.go({ at: "vault", part: "accounts" });
        if (keeping.input.checked) {
          await keepAsking(app);
        }
      },
    }),
  ];
}

async function make(
  client: Client,
  password: Uint8Array,
  draft: Draft,
  extras: { readonly passphrase: Uint8Array | undefined; readonly secondFactor: Uint8Array | undefined },
): Promise<RemoteVault> {
  const { passphrase, secondFactor } = extras;
  const second = secondFactor === undefined ? {} : { secondFactor };
  if (draft.kind === "phrase") {
    return client.createVault(password, { phrase: draft.secret, ...(passphrase === undefined ? {} : { passphrase }), ...second });
  }
  const vault = await client.createVault(password, second);
  try {
    await vault.importKey(draft.secret, importOptions(draft));
    return vault;
  } catch (thrown) {
    await vault.free();
    throw thrown;
  }
}

/** The options that were given, and no others. */
export function importOptions(input: Pick<Extract<Draft, { kind: "key" }>, "format" | "chain" | "password">): {
  format?: NonNullable<typeof input.format>;
  chain?: NonNullable<typeof input.chain>;
  password?: Uint8Array;
} {
  const { format, chain, password } = input;
  return {
    ...(format === undefined ? {} : { format }),
    ...(chain === undefined ? {} : { chain }),
    ...(password === undefined ? {} : { password }),
  };
}
