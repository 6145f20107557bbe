/** The EVM half of the sample dapp: EIP-6963 to find providers, EIP-1193 to ask them. */
import { h } from "../dom";
import { asking, choice, hex, labelled, result, shortened } from "./parts";
import { TYPED_DATA, typedData, type TypedDataKind } from "./typed-data";

interface Provider {
  request(call: { method: string; params?: readonly unknown[] }): Promise<unknown>;
  on(event: "accountsChanged", listener: (accounts: readonly string[]) => void): unknown;
}

interface Announced {
  readonly info: { readonly uuid: string; readonly name: string };
  readonly provider: Provider;
}

export function evmSection(): HTMLElement {
  return new EvmHalf().section();
}

class EvmHalf {
  readonly #announced = new Map<string, Announced>();
  readonly #outcome = result("EVM result");
  readonly #found = choice([]);
  readonly #state = h("p", { class: "state", role: "status", "aria-label": "EVM connection" }, "Not connected");
  readonly #text = h("textarea", { rows: 2, autocomplete: "off", spellcheck: "false" }, "Hello from Tidepool");
  readonly #kind = choice(TYPED_DATA);
  /** The account that it saw last; it goes on asking with it after a disconnect, as careless sites do. */
  #account: string | undefined;

  section(): HTMLElement {
    window.addEventListener("eip6963:announceProvider", (event) => this.#add((event as CustomEvent<Announced>).detail));
    window.dispatchEvent(new Event("eip6963:requestProvider"));
    const does = (label: string, ask: () => Promise<void>): HTMLElement => asking(label, this.#outcome, ask);
    return h(
      "section",
      { class: "chain", "aria-labelledby": "dapp-evm" },
      h("h3", { id: "dapp-evm" }, "EVM"),
      h("p", { class: "hint" }, "Found by EIP-6963"),
      labelled("EVM wallet", this.#found),
      this.#state,
      h(
        "div",
        { class: "actions" },
        does("Connect EVM", () => this.#connect()),
        does("Disconnect EVM", () => this.#disconnect()),
      ),
      h("h4", {}, "Ask for a signature"),
      labelled("Personal message", this.#text),
      h(
        "div",
        { class: "actions" },
        does("Sign personal message", () => this.#signMessage()),
      ),
      labelled("Typed data", this.#kind),
      h(
        "div",
        { class: "actions" },
        does("Sign typed data", () => this.#signTypedData()),
      ),
      this.#outcome.node,
    );
  }

  #add(detail: Announced): void {
    const { info, provider } = detail;
    if (!this.#announced.has(info.uuid)) {
      this.#announced.set(info.uuid, detail);
      this.#found.append(h("option", { value: info.uuid }, info.name));
      provider.on("accountsChanged", (accounts) => this.#see(accounts));
    }
  }

  #provider(): Provider {
    const chosen = this.#announced.get(this.#found.value);
    if (chosen === undefined) {
      throw new Error("no wallet was found in this page");
    }
    return chosen.provider;
  }

  #who(): string {
    if (this.#account === undefined) {
      throw new Error("connect a wallet first");
    }
    return this.#account;
  }

  #see(accounts: readonly string[]): void {
    this.#account = accounts[0] ?? this.#account;
    const connected = `Connected: ${accounts.map(shortened).join(", ")}`;
    this.#state.textContent = accounts.length === 0 ? "Disconnected" : connected;
  }

  async #connect(): Promise<void> {
    const accounts = (await this.#provider().request({ method: "eth_requestAccounts" })) as readonly string[];
    this.#see(accounts);
    const rows = accounts.map((each, at) => [`Account ${at + 1}`, each] as const);
    this.#outcome.show("Connected", rows, true);
  }

  async #disconnect(): Promise<void> {
    await this.#provider().request({ method: "wallet_revokePermissions", params: [{ eth_accounts: {} }] });
    this.#see([]);
    this.#outcome.show("Disconnected", [], false);
  }

  async #signMessage(): Promise<void> {
    const message = `0x${hex(new TextEncoder().encode(this.#text.value))}`;
    const signature = await this.#provider().request({ method: "personal_sign", params: [message, this.#who()] });
    this.#showSigned("Message signed", signature);
  }

  async #signTypedData(): Promise<void> {
    const own = this.#who();
    const document = JSON.stringify(typedData(this.#kind.value as TypedDataKind, own));
    const signature = await this.#provider().request({ method: "eth_signTypedData_v4", params: [own, document] });
    this.#showSigned("Typed data signed", signature);
  }

  #showSigned(title: string, signature: unknown): void {
    const rows = [
      ["Account", this.#account ?? ""],
      ["Signature", String(signature)],
      ["Check", formOf(signature)],
    ] as const;
    this.#outcome.show(title, rows, true);
  }
}

/** This site brings no secp256k1 along; who recovers the address is its server. */
function formOf(signature: unknown): string {
  const whole = typeof signature === "string" && /^0x[0-9a-f]{128}(1b|1c)$/.test(signature);
  return whole ? "has the form of a signature; the server recovers the address" : "this is NOT a signature";
}
