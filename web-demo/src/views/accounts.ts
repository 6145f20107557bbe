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

type Family = readonly [id: PathFamily, label: string];

/** The usual one first. */
const FAMILIES: Readonly<Record<Chain, readonly [Family, ...Family[]]>> = {
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
  const title = h("h3", { id: "derived-title" }, "Accounts of the phrase");
  const derived = h("section", { "aria-labelledby": "derived-title" }, title, ...new Derived(app).body());
  void fillHeld(app, held);
  return [held, derived];
}

async function fillHeld(app: App, section: HTMLElement): Promise<void> {
  try {
    const wallets = await app.session.vault.wallets();
    section.append(
      wallets.length === 0
        ? h("p", { class: "hint" }, "None yet. Import a key under Manage.")
        : h("ul", { class: "accounts", "aria-label": "Wallets in the vault" }, ...wallets.map((wallet) => row(app, wallet))),
    );
  } catch (thrown) {
    section.append(trouble(thrown));
  }
}

/** Shows the accounts of one chain, some at a time; another chain or path begins anew. */
class Derived {
  readonly #app: App;
  readonly #list = h("ol", { class: "accounts", "aria-label": "Accounts of the phrase" });
  readonly #problem = h("div", { "aria-live": "polite" });
  readonly #more = h("button", { type: "button", on: { click: () => void this.#load() } }, "Load more");
  readonly #families = h("div", {});
  #family: PathFamily = FAMILIES.solana[0][0];
  #shown = 0;
  /** Grows whenever it begins anew, so that late answers are dropped. */
  #generation = 0;

  constructor(app: App) {
    this.#app = app;
  }

  body(): readonly Node[] {
    this.#choose("solana");
    const radios = (["solana", "evm"] as const).map((chain) => {
      const change = (): void => this.#choose(chain);
      const radio = h("input", { type: "radio", name: "chain", value: chain, autocomplete: "off", on: { change } });
      radio.checked = chain === "solana";
      return h("label", {}, radio, h("span", {}, CHAIN_NAMES[chain]));
    });
    const chains = h("fieldset", { class: "inline segmented" }, h("legend", {}, "Chain"), ...radios);
    return [
      h("div", { class: "choose" }, chains, this.#families),
      this.#list,
      this.#problem,
      h("div", { class: "actions" }, this.#more),
    ];
  }

  #choose(chain: Chain): void {
    const field = selectField({ label: "Path" }, FAMILIES[chain]);
    field.input.addEventListener("change", () => this.#begin(field.input.value as PathFamily));
    this.#families.replaceChildren(field.row);
    this.#begin(FAMILIES[chain][0][0]);
  }

  #begin(family: PathFamily): void {
    this.#family = family;
    this.#generation += 1;
    this.#shown = 0;
    this.#list.replaceChildren();
    this.#problem.replaceChildren();
    void this.#load();
  }

  async #load(): Promise<void> {
    const mine = this.#generation;
    const single = SINGLE.includes(this.#family);
    this.#more.disabled = true;
    try {
      const options = { family: this.#family, start: this.#shown, count: single ? 1 : PAGE };
      const accounts = await this.#app.session.vault.accounts(options);
      if (mine === this.#generation) {
        this.#add(accounts.map((account) => row(this.#app, account)));
        this.#more.hidden = single;
      }
    } catch (thrown) {
      const { code } = thrown as { code?: unknown };
      const none = h("p", { class: "hint" }, "This vault has no phrase; it has the wallets above.");
      this.#problem.replaceChildren(code === "no-phrase" ? none : trouble(thrown));
      this.#more.hidden = true;
    } finally {
      this.#more.disabled = false;
    }
  }

  #add(rows: readonly HTMLElement[]): void {
    this.#list.append(...rows);
    if (this.#shown > 0) {
      this.#app.announce(`${rows.length} more accounts`);
      rows[0]?.querySelector<HTMLElement>("button")?.focus();
    }
    this.#shown += rows.length;
  }
}

function row(app: App, account: Account): HTMLElement {
  const short = `${account.address.slice(0, 6)}…${account.address.slice(-4)}`;
  return h(
    "li",
    { class: "account" },
    h(
      "div",
      { class: "about" },
      h("span", { class: `badge ${account.chain}` }, CHAIN_NAMES[account.chain]),
      account.label !== "" && h("strong", {}, account.label),
      h("span", { class: "path" }, account.path ?? "imported"),
    ),
    address(account.address),
    h(
      "div",
      { class: "tools" },
      h(
        "button",
        { type: "button", class: "tool", "aria-label": `Copy ${short}`, on: { click: () => void copy(app, account.address) } },
        icon("copy"),
        h("span", {}, "Copy"),
      ),
      h(
        "button",
        { type: "button", class: "tool", "aria-label": `QR code of ${short}`, on: { click: () => showQr(app, account) } },
        icon("qr"),
        h("span", {}, "QR"),
      ),
    ),
  );
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
