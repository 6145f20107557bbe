import type { PageConfig } from "../wire.js";
import type { Link } from "./link.js";

interface PageAccount {
  readonly address: string;
  readonly publicKey: Uint8Array;
  readonly chains: readonly string[];
  readonly features: readonly string[];
}

type ChangeListener = (properties: { readonly accounts: readonly PageAccount[] }) => void;

/** A wallet of Wallet Standard whose every method asks the test's process. */
export function pageWallet(config: PageConfig, link: Link): object {
  const known = new Map<string, PageAccount>();
  const listeners = new Set<{ readonly call: ChangeListener }>();
  const names = Object.keys(config.features).filter((name) => name.startsWith("solana:"));
  let accounts: readonly PageAccount[] = Object.freeze([]);

  const account = (given: { readonly address: string; readonly publicKey: Uint8Array }): PageAccount => {
    const { address, publicKey } = given;
    const own =
      known.get(address) ??
      Object.freeze({
        address,
        get publicKey() {
          return new Uint8Array(publicKey);
        },
        chains: config.chains,
        features: names,
      });
    known.set(address, own);
    return own;
  };
  link.onEvent((event) => {
    if (event.target === "wallet") {
      const now = event.accounts.map(account);
      if (now.length === accounts.length && now.every((own, at) => own === accounts[at])) {
        return;
      }
      accounts = Object.freeze(now);
      listeners.forEach(({ call }) => call({ accounts }));
    }
  });
  const ask = (feature: string, inputs: readonly unknown[]): Promise<unknown> => link.ask({ kind: "wallet", feature, inputs });
  const features: Record<string, object> = {};
  for (const [name, description] of Object.entries(config.features)) {
    const method = name.slice(name.indexOf(":") + 1);
    features[name] = Object.freeze({ ...description, [method]: (...inputs: readonly unknown[]) => ask(name, inputs.map(plainInput)) });
  }
  features["standard:connect"] = Object.freeze({
    version: "1.0.0",
    connect: async (input?: { readonly silent?: boolean }) => {
      await ask("standard:connect", [{ silent: input?.silent === true }]);
      return { accounts };
    },
  });
  features["standard:events"] = Object.freeze({
    version: "1.0.0",
    on: (event: string, call: ChangeListener) => {
      const own = { call };
      if (event === "change") {
        listeners.add(own);
      }
      return () => listeners.delete(own);
    },
  });
  features["solana:signIn"] = Object.freeze({
    version: "1.0.0",
    signIn: async (...inputs: readonly unknown[]) => {
      const outputs = (await ask("solana:signIn", inputs)) as readonly { readonly account: PageAccount }[];
      return outputs.map((output) => ({ ...output, account: account(output.account) }));
    },
  });
  return Object.freeze({
    version: "1.0.0",
    name: config.name,
    icon: config.icon,
    chains: config.chains,
    features: Object.freeze(features),
    get accounts() {
      return accounts;
    },
  });
}

/** Of an account the address suffices; whatever else is wrong with an input is for the wallet to say. */
function plainInput(input: unknown): unknown {
  if (typeof input !== "object" || input === null || !("account" in input)) {
    return input;
  }
  const { account } = input as { readonly account: unknown };
  const address = typeof account === "object" && account !== null ? (account as { readonly address?: unknown }).address : undefined;
  return { ...input, account: { address } };
}
