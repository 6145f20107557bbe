/** The accounts of the vault's phrase, and the wallets that the vault holds. */
import type { Account, Chain, PathFamily } from "keyward";
import type { App } from "../app";
import { h } from "../dom";
import { selectField } from "../fields";
import { icon } from "../icons";
import { explain } from "../problems";
import { address } from "../sentences";
import { showQr } from "./qr";

/** How many are shown at a time. */
const PAGE = 5;

const FAMILIES: Readonly<Record<Chain, readonly (readonly [PathFamily, string])[]>> = {
  solana: [
    ["bip44-change", "m/44'/501'/i'/0' (usual)"],
    ["bip44", "m/44'/501'/i'"],
    ["bip44-root", "m/44'/501'"],
    ["sollet", "m/501'/i'/0/0 (Sollet)"],
    ["raw", "No path (solana-keygen)"],
  ],
  evm: [
    ["evm-bip44", "m/44'/60'/0'/0/i (usual)"],
    ["evm-ledger-live", "m/44'/60'/i'/0/0 (Ledger Live)"],
    ["evm-legacy", "m/44'/60'/0'/i (old)"],
  ],
};

/** These have one account. */
const SINGLE: readonly PathFamily[] = ["bip44-root", "raw"];

export const CHAIN_NAMES: Readonly<Record<Chain, string>> = { solana: "Solana", evm: "EVM" };

export function accountsPart(app: App): readonly Node[] {
  const held = h("section", { "aria-labelledby": "held-title" }, h("h3", { id: "held-title" }, "Wallets in the vault"));
  const derived = h("section", { "aria-labelledby": "derived-title" }, h("h3", { id: "derived-title" }, "Accounts of the phrase"));
  void fillHeld(app, held);
  fillDerived(app, derived, "solana");
  return [held, derived];
}

async function fillHeld(app: App, section: HTMLElement): Promise<void> {
  try {
    const wallets = await app.session.vault.wallets();
    section.append(wallets.length === 0
      ? h("p", { class: "hint" }, "None yet. Import a key under Manage.")
      : h("ul", { class: "accounts", "aria-label": "Wallets in the vault" }, ...wallets.map((wallet) => row(app, wallet))));
  } catch (thrown) {
    section.append(trouble(thrown));
  }
}

function fillDerived(app: App, section: HTMLElement, chain: Chain): void {
  const list = h("ol", { class: "accounts", "aria-label": "Accounts of the phrase" });
  const problem = h("div", { "aria-live": "polite" });
  const more = h("button", { type: "button", on: { click: () => void load() } }, "Load more");
  const family = selectField({ label: "Path" }, FAMILIES[chain]);
  let shown = 0;
  let generation = 0;
  const load = async (): Promise<void> => {
    const mine = generation;
    const chosen = family.input.value as PathFamily;
    more.disabled = true;
    try {
      const count = SINGLE.includes(chosen) ? 1 : PAGE;
      const accounts = await app.session.vault.accounts({ family: chosen, start: shown, count });
      if (mine !== generation) {
        return;
      }
      const rows = accounts.map((account) => row(app, account));
      list.append(...rows);
      if (shown > 0) {
        app.announce(`${rows.length} more accounts`);
        rows[0]?.querySelector<HTMLElement>("button")?.focus();
      }
      shown += accounts.length;
      more.hidden = SINGLE.includes(chosen);
    } catch (thrown) {
      more.hidden = true;
      const code = (thrown as { code?: unknown }).code;
      problem.replaceChildren(code === "no-phrase" ? h("p", { class: "hint" }, "This vault has no phrase; it has the wallets above.") : trouble(thrown));
    } finally {
      more.disabled = false;
    }
  };
  const again = (): void => {
    generation += 1;
    shown = 0;
    list.replaceChildren();
    problem.replaceChildren();
    void load();
  };
  family.input.addEventListener("change", again);
  const choose = (which: Chain) => (): void => {
    section.querySelectorAll(":scope > :not(h3)").forEach((old) => old.remove());
    generation += 1;
    fillDerived(app, section, which);
    section.querySelector<HTMLElement>(`input[value=${which}]`)?.focus();
  };
  section.append(
    h("div", { class: "choose" },
      h("fieldset", { class: "inline segmented" }, h("legend", {}, "Chain"), ...(["solana", "evm"] as const).map((which) => {
        const radio = h("input", { type: "radio", name: "chain", value: which, autocomplete: "off", on: { change: choose(which) } });
        radio.checked = which === chain;
        return h("label", {}, radio, h("span", {}, CHAIN_NAMES[which]));
      })),
      family.row),
    list, problem, h("div", { class: "actions" }, more));
  void load();
}

function row(app: App, account: Account): HTMLElement {
  const short = `${account.address.slice(0, 6)}…${account.address.slice(-4)}`;
  return h("li", { class: "account" },
    h("div", { class: "about" },
      h("span", { class: `badge ${account.chain}` }, CHAIN_NAMES[account.chain]),
      account.label !== "" && h("strong", {}, account.label),
      h("span", { class: "path" }, account.path ?? "imported")),
    address(account.address),
    h("div", { class: "tools" },
      h("button", { type: "button", class: "tool", "aria-label": `Copy ${short}`, on: { click: () => void copy(app, account.address) } }, icon("copy"), h("span", {}, "Copy")),
      h("button", { type: "button", class: "tool", "aria-label": `QR code of ${short}`, on: { click: () => showQr(app, account) } }, icon("qr"), h("span", {}, "QR"))));
}

/** Puts an address, which is no secret, on the clipboard. */
export async function copy(app: App, text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    app.announce("Address copied. Compare its ends where you paste it.");
  } catch {
    app.announce("The browser did not allow copying. Select the address by hand.");
  }
}

export function trouble(thrown: unknown): HTMLElement {
  const { cause, remedy } = explain(thrown);
  return h("p", { class: "error", role: "alert" }, h("strong", {}, cause), " ", remedy);
}
