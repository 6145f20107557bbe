/** Where everything begins: vaults that are kept here, and three ways to get one. */
import type { App } from "../app";
import { h } from "../dom";
import { dropTarget } from "../drop";
import { icon, keyGlyph, type Icon } from "../icons";
import { explain } from "../problems";
import { keptVaults, type SealedVault } from "../store";
import type { Screen } from "../screens";
import { vaultFile } from "../vault-file";
import { mayLeave, unsavedPlace } from "./unsaved";

export function startView(app: App): readonly Node[] {
  const kept = h("div", { class: "kept", "aria-live": "polite" });
  const error = h("p", { class: "error", role: "alert" });
  const fail = (thrown: unknown): void => {
    const { cause, remedy } = explain(thrown);
    error.replaceChildren(h("strong", {}, cause), " ", remedy);
  };
  keptVaults().then(
    (vaults) => kept.replaceChildren(...keptList(app, vaults)),
    () => kept.replaceChildren(),
  );
  const picker = h("input", {
    type: "file",
    class: "visually-hidden",
    "aria-label": "Open a .keyward file",
    on: {
      change: () => {
        const file = picker.files?.[0];
        picker.value = "";
        void open(file);
      },
    },
  });
  const open = async (file: File | undefined): Promise<void> => {
    error.replaceChildren();
    if (file === undefined) {
      return;
    }
    try {
      const sealed = await app.session.ask((client) => vaultFile(client, file));
      if (!(await mayLeave(app))) {
        return;
      }
      app.session.choose(sealed, false);
      app.go({ at: "unlock", way: "password" });
    } catch (thrown) {
      fail(thrown);
    }
  };
  const leave = async (to: Screen): Promise<void> => {
    if (await mayLeave(app)) {
      app.go(to);
    }
  };
  return [
    unsavedPlace(app),
    h("p", { class: "lede" }, "Keys for Solana and EVM chains, in one encrypted file. It opens here and in the Keyward console."),
    kept,
    h(
      "ul",
      { class: "ways" },
      way("pen", "Create a vault", "With a new phrase of words.", () => void leave({ at: "phrase" })),
      way("key", "Import a phrase or key", "From another wallet, in any common form.", () => void leave({ at: "import" })),
    ),
    h(
      "label",
      { class: "drop", on: dropTarget((file) => void open(file)) },
      picker,
      icon("file"),
      h(
        "span",
        {},
        h("strong", {}, "Open a .keyward file"),
        h("span", { class: "hint" }, "Choose it, or drop it here. It stays on this device."),
      ),
    ),
    error,
  ];
}

function way(name: Icon, label: string, hint: string, go: () => void): HTMLElement {
  return h(
    "li",
    { class: "way" },
    icon(name),
    h("div", {}, h("button", { type: "button", class: "stretched", on: { click: go } }, label), h("p", { class: "hint" }, hint)),
  );
}

function keptList(app: App, vaults: readonly SealedVault[]): readonly Node[] {
  if (vaults.length === 0) {
    return [];
  }
  const unlock = async (vault: SealedVault): Promise<void> => {
    if (await mayLeave(app)) {
      app.session.choose(vault, true);
      app.go({ at: "unlock", way: "password" });
    }
  };
  return [
    h("h3", {}, "Kept in this browser"),
    h(
      "ul",
      { class: "plain", "aria-label": "Kept vaults" },
      ...vaults.map((vault) =>
        h(
          "li",
          { class: "keptvault" },
          keyGlyph(vault.id),
          h("span", { class: "name" }, h("strong", {}, vault.name), h("code", {}, vault.id.slice(0, 8))),
          h(
            "button",
            { type: "button", class: "primary", "aria-label": `Unlock ${vault.name}`, on: { click: () => void unlock(vault) } },
            "Unlock",
          ),
        ),
      ),
    ),
  ];
}
