/** The open vault: whose it is, how long it stays open, and its three parts. */
import type { App } from "../app";
import { h } from "../dom";
import { icon, keyGlyph } from "../icons";
import type { Screen } from "../screens";
import { accountsPart } from "./accounts";
import { connectionsPart } from "./connections";
import { managePart } from "./manage";
import { unsavedPlace } from "./unsaved";

type Part = Extract<Screen, { at: "vault" }>["part"];

const PARTS: readonly (readonly [Part, string])[] = [
  ["accounts", "Accounts"],
  ["connections", "Connections"],
  ["manage", "Manage"],
];

export function vaultView(app: App, part: Part): readonly Node[] {
  const { sealed } = app.session;
  const { authority } = app.session.vault;
  return [
    h(
      "div",
      { class: "whose open" },
      sealed === undefined ? null : keyGlyph(sealed.id),
      h("p", {}, h("strong", {}, sealed?.name ?? "Vault"), h("code", { title: sealed?.id }, sealed?.id.slice(0, 8))),
      h("button", { type: "button", class: "primary lock", on: { click: () => void app.lock() } }, icon("lock"), "Lock"),
    ),
    h(
      "p",
      { class: "status" },
      h("span", { class: "countdown", role: "timer", "aria-label": "Automatic lock" }),
      AUTHORITY[authority],
    ),
    unsavedPlace(app),
    h(
      "nav",
      { class: "parts", "aria-label": "Vault" },
      ...PARTS.map(([name, label]) =>
        h(
          "button",
          {
            type: "button",
            "aria-current": name === part ? "page" : undefined,
            on: { click: () => app.go({ at: "vault", part: name }) },
          },
          label,
        ),
      ),
    ),
    ...{ accounts: accountsPart, connections: connectionsPart, manage: managePart }[part](app),
  ];
}

const AUTHORITY = {
  vault: " · The vault’s own policy decides first.",
  page: " · No policy in the vault: you decide each time.",
  unsound: " · The vault’s policy cannot be read: nothing is signed.",
} as const;

/** What is left until the vault locks itself, in words that change once a second. */
export function remaining(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `Locks in ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
