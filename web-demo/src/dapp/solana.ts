/** The Solana half of the sample dapp: Wallet Standard, and `@solana/kit` to build and to verify. */
import { getTransactionDecoder } from "@solana/kit";
import { getWallets } from "@wallet-standard/app";
import type { WalletAccount } from "@wallet-standard/base";
import { h } from "../dom";
import { asking, choice, hex, labelled, result, shortened } from "./parts";
import { base58, checked } from "./signatures";
import { TRANSACTIONS, build, type TransactionKind } from "./transactions";

/** As much of the standard's features as this site uses. */
interface Features {
  readonly "standard:connect": { connect(): Promise<{ accounts: readonly WalletAccount[] }> };
  readonly "standard:disconnect": { disconnect(): Promise<void> };
  readonly "standard:events": {
    on(event: "change", listener: (change: { accounts?: readonly WalletAccount[] }) => void): () => void;
  };
  readonly "solana:signMessage": {
    signMessage(input: { account: WalletAccount; message: Uint8Array }): Promise<readonly Signed[]>;
  };
  readonly "solana:signIn": { signIn(input: object): Promise<readonly (Signed & { account: WalletAccount })[]> };
  readonly "solana:signTransaction": {
    signTransaction(input: {
      account: WalletAccount;
      transaction: Uint8Array;
      chain: string;
    }): Promise<readonly { signedTransaction: Uint8Array }[]>;
  };
}

interface Signed {
  readonly signature: Uint8Array;
  readonly signedMessage: Uint8Array;
}

const NEEDED = [
  "standard:connect",
  "standard:disconnect",
  "standard:events",
  "solana:signMessage",
  "solana:signIn",
  "solana:signTransaction",
];

const MESSAGES = [
  ["text", "The text above"],
  ["transaction", "A transaction disguised as a message (refused)"],
] as const;

export function solanaSection(): HTMLElement {
  return new SolanaHalf().section();
}

class SolanaHalf {
  readonly #wallets = getWallets();
  readonly #outcome = result("Solana result");
  readonly #found = choice([]);
  readonly #state = h("p", { class: "state", role: "status", "aria-label": "Solana connection" }, "Not connected");
  readonly #account = choice([]);
  readonly #accountRow = labelled("Account", this.#account);
  readonly #text = h("textarea", { rows: 2, autocomplete: "off", spellcheck: "false" }, "Hello from Tidepool");
  readonly #disguise = choice(MESSAGES);
  readonly #kind = choice(TRANSACTIONS);
  #accounts: readonly WalletAccount[] = [];
  #stopListening: () => void = () => undefined;

  section(): HTMLElement {
    this.#accountRow.hidden = true;
    this.#list();
    this.#wallets.on("register", () => this.#list());
    this.#wallets.on("unregister", () => this.#list());
    const does = (label: string, ask: () => Promise<void>): HTMLElement => asking(label, this.#outcome, ask);
    return h(
      "section",
      { class: "chain", "aria-labelledby": "dapp-solana" },
      h("h3", { id: "dapp-solana" }, "Solana"),
      h("p", { class: "hint" }, "Found by Wallet Standard"),
      labelled("Solana wallet", this.#found),
      this.#state,
      this.#accountRow,
      h(
        "div",
        { class: "actions" },
        does("Connect Solana", () => this.#connect()),
        does("Disconnect Solana", () => this.#disconnect()),
      ),
      h("h4", {}, "Ask for a signature"),
      labelled("Message", this.#text),
      labelled("What to sign", this.#disguise),
      h(
        "div",
        { class: "actions" },
        does("Sign message", () => this.#signMessage()),
        does("Sign in with Solana", () => this.#signIn()),
      ),
      labelled("Transaction", this.#kind),
      h(
        "div",
        { class: "actions" },
        does("Sign transaction", () => this.#signTransaction()),
      ),
      this.#outcome.node,
    );
  }

  #list(): void {
    const able = this.#wallets.get().filter((wallet) => NEEDED.every((feature) => feature in wallet.features));
    this.#found.replaceChildren(...able.map((wallet) => h("option", { value: wallet.name }, wallet.name)));
  }

  #features(): Features {
    const wallet = this.#wallets.get().find((each) => each.name === this.#found.value);
    if (wallet === undefined) {
      throw new Error("no wallet was found in this page");
    }
    return wallet.features as unknown as Features;
  }

  /** Who is asked. After a disconnect the site goes on asking with what it had, as careless sites do. */
  #who(): WalletAccount {
    const own = this.#accounts.find((each) => each.address === this.#account.value) ?? this.#accounts[0];
    if (own === undefined) {
      throw new Error("connect a wallet first");
    }
    return own;
  }

  #see(seen: readonly WalletAccount[]): void {
    if (seen.length === 0) {
      this.#state.textContent = "Disconnected";
      return;
    }
    this.#accounts = seen;
    this.#state.textContent = `Connected: ${seen.map((each) => shortened(each.address)).join(", ")}`;
    this.#account.replaceChildren(...seen.map((each) => h("option", { value: each.address }, shortened(each.address))));
    this.#accountRow.hidden = seen.length < 2;
  }

  async #connect(): Promise<void> {
    const features = this.#features();
    this.#stopListening();
    this.#stopListening = features["standard:events"].on("change", (change) => this.#see(change.accounts ?? this.#accounts));
    const { accounts } = await features["standard:connect"].connect();
    this.#see(accounts);
    const rows = accounts.map((each, at) => [`Account ${at + 1}`, each.address] as const);
    this.#outcome.show("Connected", rows, true);
  }

  async #disconnect(): Promise<void> {
    await this.#features()["standard:disconnect"].disconnect();
    this.#see([]);
    this.#outcome.show("Disconnected", [], false);
  }

  async #signMessage(): Promise<void> {
    const account = this.#who();
    const disguised = this.#disguise.value === "transaction";
    const message = disguised ? messageOf(build("transfer", account.address)) : new TextEncoder().encode(this.#text.value);
    const [signed] = await this.#features()["solana:signMessage"].signMessage({ account, message });
    await this.#showSigned("Message signed", account.address, signed?.signature, signed?.signedMessage);
  }

  async #signIn(): Promise<void> {
    const [signed] = await this.#features()["solana:signIn"].signIn({
      domain: location.host,
      statement: "Sign in to Tidepool. This costs nothing.",
      uri: location.origin,
      version: "1",
      chainId: "mainnet",
      nonce: hex(crypto.getRandomValues(new Uint8Array(8))),
      issuedAt: new Date().toISOString(),
    });
    await this.#showSigned("Signed in", signed?.account.address, signed?.signature, signed?.signedMessage);
  }

  async #signTransaction(): Promise<void> {
    const account = this.#who();
    const transaction = build(this.#kind.value as TransactionKind, account.address);
    const asked = { account, transaction, chain: "solana:devnet" };
    const [signed] = await this.#features()["solana:signTransaction"].signTransaction(asked);
    const wire = signed?.signedTransaction ?? transaction;
    const { signatures } = getTransactionDecoder().decode(wire);
    const own = Object.entries(signatures).find(([signer]) => signer === account.address)?.[1] ?? undefined;
    await this.#showSigned("Transaction signed, not sent", account.address, own, messageOf(wire));
  }

  async #showSigned(
    title: string,
    address: string | undefined,
    signature: Uint8Array | undefined,
    message: Uint8Array | undefined,
  ): Promise<void> {
    if (address === undefined || signature === undefined || message === undefined) {
      throw new Error("the wallet answered without a signature");
    }
    const rows = [
      ["Account", address],
      ["Signature", base58(signature)],
      ["Check", await checked(address, signature, message)],
    ] as const;
    this.#outcome.show(title, rows, true);
  }
}

/** What a transaction's signatures are over. */
function messageOf(transaction: Uint8Array): Uint8Array {
  return Uint8Array.from(getTransactionDecoder().decode(transaction).messageBytes);
}
