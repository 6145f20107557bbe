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
  const outcome = result("EVM result");
  const found = choice([]);
  const state = h("p", { class: "state", role: "status", "aria-label": "EVM connection" }, "Not connected");
  const announced = new Map<string, Announced>();
  let account: string | undefined;

  const see = (accounts: readonly string[]): void => {
    account = accounts[0] ?? account;
    state.textContent = accounts.length === 0 ? "Disconnected" : `Connected: ${accounts.map(shortened).join(", ")}`;
  };
  window.addEventListener("eip6963:announceProvider", (event) => {
    const detail = (event as CustomEvent<Announced>).detail;
    if (!announced.has(detail.info.uuid)) {
      announced.set(detail.info.uuid, detail);
      found.append(h("option", { value: detail.info.uuid }, detail.info.name));
      detail.provider.on("accountsChanged", see);
    }
  });
  window.dispatchEvent(new Event("eip6963:requestProvider"));

  const provider = (): Provider => {
    const chosen = announced.get(found.value);
    if (chosen === undefined) {
      throw new Error("no wallet was found in this page");
    }
    return chosen.provider;
  };
  const who = (): string => {
    if (account === undefined) {
      throw new Error("connect a wallet first");
    }
    return account;
  };
  const connect = asking("Connect EVM", outcome, async () => {
    const accounts = (await provider().request({ method: "eth_requestAccounts" })) as readonly string[];
    see(accounts);
    outcome.show("Connected", accounts.map((each, at) => [`Account ${at + 1}`, each] as const), true);
  });
  const disconnect = asking("Disconnect EVM", outcome, async () => {
    await provider().request({ method: "wallet_revokePermissions", params: [{ eth_accounts: {} }] });
    see([]);
    outcome.show("Disconnected", [], false);
  });
  const text = h("textarea", { rows: 2, autocomplete: "off", spellcheck: "false" }, "Hello from Tidepool");
  const sign = asking("Sign personal message", outcome, async () => {
    const message = `0x${hex(new TextEncoder().encode(text.value))}`;
    const signature = await provider().request({ method: "personal_sign", params: [message, who()] });
    outcome.show("Message signed", [["Signature", String(signature)], ["Form", formOf(signature)]], true);
  });
  const kind = choice(TYPED_DATA);
  const typed = asking("Sign typed data", outcome, async () => {
    const own = who();
    const document = JSON.stringify(typedData(kind.value as TypedDataKind, own));
    const signature = await provider().request({ method: "eth_signTypedData_v4", params: [own, document] });
    outcome.show("Typed data signed", [["Signature", String(signature)], ["Form", formOf(signature)]], true);
  });
  return h("section", { class: "chain", "aria-labelledby": "dapp-evm" },
    h("h3", { id: "dapp-evm" }, "EVM"),
    h("p", { class: "hint" }, "Found by EIP-6963"),
    labelled("EVM wallet", found), state,
    h("div", { class: "actions" }, connect, disconnect),
    h("h4", {}, "Ask for a signature"),
    labelled("Personal message", text), h("div", { class: "actions" }, sign),
    labelled("Typed data", kind), h("div", { class: "actions" }, typed), outcome.node);
}

/** This site brings no secp256k1 along; who recovers the address is its server. */
function formOf(signature: unknown): string {
  const whole = typeof signature === "string" && /^0x[0-9a-f]{130}$/.test(signature) && /(1b|1c)$/.test(signature);
  return whole ? "r, s and v are there; the server recovers the address" : "this is NOT a signature";
}
