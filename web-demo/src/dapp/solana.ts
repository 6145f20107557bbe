/** The Solana half of the sample dapp: Wallet Standard, and `@solana/kit` to build and to verify. */
import { getPublicKeyFromAddress, getTransactionDecoder, isAddress, verifySignature, getBase58Decoder, type SignatureBytes } from "@solana/kit";
import { getWallets } from "@wallet-standard/app";
import type { Wallet, WalletAccount } from "@wallet-standard/base";
import { h } from "../dom";
import { asking, choice, labelled, result, shortened } from "./parts";
import { TRANSACTIONS, build, type TransactionKind } from "./transactions";

interface Features {
  readonly "standard:connect": { connect(): Promise<{ accounts: readonly WalletAccount[] }> };
  readonly "standard:disconnect": { disconnect(): Promise<void> };
  readonly "standard:events": { on(event: "change", listener: (change: { accounts?: readonly WalletAccount[] }) => void): () => void };
  readonly "solana:signMessage": {
    signMessage(input: { account: WalletAccount; message: Uint8Array }): Promise<readonly { signature: Uint8Array; signedMessage: Uint8Array }[]>;
  };
  readonly "solana:signIn": { signIn(input: object): Promise<readonly { account: WalletAccount; signature: Uint8Array; signedMessage: Uint8Array }[]> };
  readonly "solana:signTransaction": {
    signTransaction(input: { account: WalletAccount; transaction: Uint8Array; chain: string }): Promise<readonly { signedTransaction: Uint8Array }[]>;
  };
}

const NEEDED = ["standard:connect", "standard:disconnect", "standard:events", "solana:signMessage", "solana:signIn", "solana:signTransaction"];

const MESSAGES = [
  ["text", "The text above"],
  ["transaction", "A transaction disguised as a message (refused)"],
] as const;

export function solanaSection(): HTMLElement {
  const outcome = result("Solana result");
  const found = choice([]);
  const state = h("p", { class: "state", role: "status", "aria-label": "Solana connection" }, "Not connected");
  const account = choice([]);
  const accountRow = labelled("Account", account);
  accountRow.hidden = true;
  const wallets = getWallets();
  let accounts: readonly WalletAccount[] = [];
  let listening: () => void = () => undefined;

  const list = (): void => {
    const able = wallets.get().filter((wallet) => NEEDED.every((feature) => feature in wallet.features));
    found.replaceChildren(...able.map((wallet) => h("option", { value: wallet.name }, wallet.name)));
  };
  const chosen = (): Features => {
    const wallet: Wallet | undefined = wallets.get().find((each) => each.name === found.value);
    if (wallet === undefined) {
      throw new Error("no wallet was found in this page");
    }
    return wallet.features as unknown as Features;
  };
  /** Who asks. After a disconnect it goes on asking with what it had, as careless sites do. */
  const who = (): WalletAccount => {
    const own = accounts.find((each) => each.address === account.value) ?? accounts[0];
    if (own === undefined) {
      throw new Error("connect a wallet first");
    }
    return own;
  };
  const see = (seen: readonly WalletAccount[]): void => {
    if (seen.length === 0) {
      state.textContent = "Disconnected";
      return;
    }
    accounts = seen;
    state.textContent = `Connected: ${seen.map((each) => shortened(each.address)).join(", ")}`;
    account.replaceChildren(...seen.map((each) => h("option", { value: each.address }, shortened(each.address))));
    accountRow.hidden = seen.length < 2;
  };
  list();
  wallets.on("register", list);
  wallets.on("unregister", list);

  const connect = asking("Connect Solana", outcome, async () => {
    const features = chosen();
    listening();
    listening = features["standard:events"].on("change", (change) => see(change.accounts ?? accounts));
    see((await features["standard:connect"].connect()).accounts);
    outcome.show("Connected", accounts.map((each, at) => [`Account ${at + 1}`, each.address] as const), true);
  });
  const disconnect = asking("Disconnect Solana", outcome, async () => {
    await chosen()["standard:disconnect"].disconnect();
    see([]);
    outcome.show("Disconnected", [], false);
  });

  const text = h("textarea", { rows: 2, autocomplete: "off", spellcheck: "false" }, "Hello from Tidepool");
  const disguise = choice(MESSAGES);
  const sign = asking("Sign message", outcome, async () => {
    const own = who();
    const message = disguise.value === "transaction" ? getTransactionDecoder().decode(build("transfer", own.address)).messageBytes : new TextEncoder().encode(text.value);
    const [signed] = await chosen()["solana:signMessage"].signMessage({ account: own, message: new Uint8Array(message) });
    if (signed !== undefined) {
      outcome.show("Message signed", [["Signature", base58(signed.signature)], ["Check", await checked(own.address, signed.signature, signed.signedMessage)]], true);
    }
  });
  const signIn = asking("Sign in with Solana", outcome, async () => {
    const nonce = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const [signed] = await chosen()["solana:signIn"].signIn({
      domain: location.host,
      statement: "Sign in to Tidepool. This costs nothing.",
      uri: location.origin,
      version: "1",
      chainId: "mainnet",
      nonce,
      issuedAt: new Date().toISOString(),
    });
    if (signed !== undefined) {
      const { address } = signed.account;
      outcome.show("Signed in", [["Account", address], ["Signature", base58(signed.signature)], ["Check", await checked(address, signed.signature, signed.signedMessage)]], true);
    }
  });
  const kind = choice(TRANSACTIONS);
  const transact = asking("Sign transaction", outcome, async () => {
    const own = who();
    const transaction = build(kind.value as TransactionKind, own.address);
    const [signed] = await chosen()["solana:signTransaction"].signTransaction({ account: own, transaction, chain: "solana:devnet" });
    if (signed !== undefined) {
      const { messageBytes, signatures } = getTransactionDecoder().decode(signed.signedTransaction);
      const signature = Object.entries(signatures).find(([signer]) => signer === own.address)?.[1] ?? new Uint8Array(64);
      outcome.show("Transaction signed, not sent", [["Signature", base58(signature)], ["Check", await checked(own.address, signature, messageBytes)]], true);
    }
  });

  return h("section", { class: "chain", "aria-labelledby": "dapp-solana" },
    h("h3", { id: "dapp-solana" }, "Solana"),
    h("p", { class: "hint" }, "Found by Wallet Standard"),
    labelled("Solana wallet", found), state, accountRow,
    h("div", { class: "actions" }, connect, disconnect),
    h("h4", {}, "Ask for a signature"),
    labelled("Message", text), labelled("What to sign", disguise),
    h("div", { class: "actions" }, sign, signIn),
    labelled("Transaction", kind), h("div", { class: "actions" }, transact), outcome.node);
}

function base58(bytes: ArrayLike<number>): string {
  return getBase58Decoder().decode(Uint8Array.from(bytes));
}

/** Verified by `@solana/kit`, as a dapp's own check would be. */
async function checked(address: string, signature: ArrayLike<number>, message: ArrayLike<number>): Promise<string> {
  if (!isAddress(address)) {
    return "the wallet gave no address";
  }
  try {
    const key = await getPublicKeyFromAddress(address);
    const fits = await verifySignature(key, Uint8Array.from(signature) as Uint8Array as SignatureBytes, Uint8Array.from(message));
    return fits ? "the signature is valid" : "the signature is NOT valid";
  } catch {
    return "not checked: this browser has no Ed25519";
  }
}
