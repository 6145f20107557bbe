import { Dialogs } from "../dialogs.js";
import { KeywardError } from "../errors.js";
import { own } from "../own.js";
import type { MessageReview, TransactionReview } from "../review.js";
import { checkClaims } from "../sign-in.js";
import type { LookupTables } from "../solana.js";
import type { SolanaWallet } from "../wallets.js";
import { messageInputs, sendOptions, signInInputs, transactionInputs, type MessageInput, type TransactionInput } from "./inputs.js";
import {
  SENDING,
  SIGNING,
  VERSIONS,
  type ChangeListener,
  type Confirmation,
  type SolanaChain,
  type WalletAccount,
  type WalletOptions,
} from "./options.js";
import { afterOthers, asked, closed, notConnected, refuseUnlessAllowed, refuseUnlessComplete, rejection, towardsDapp } from "./refusals.js";
import { sendTransaction } from "./send.js";
import { claimsOf, signInText } from "./sign-in.js";

const CHAINS: readonly SolanaChain[] = ["solana:mainnet", "solana:devnet", "solana:testnet"];
/** Codes of the signer that say: the vault is not open any more. */
const GONE = new Set(["locked", "freed", "terminated", "worker", "poisoned"]);
/** Whoever verifies a sign-in may look no further than this. */
const READS_AS_SIGN_IN = /wants you to sign in with your [^]{0,200}? ?account:/i;
type SignedMessage = { readonly signedMessage: Uint8Array; readonly signature: Uint8Array; readonly signatureType: "ed25519" };

interface Reading {
  readonly review: TransactionReview;
  readonly config: { readonly lookupTables: LookupTables } | undefined;
}

/** A wallet of Wallet Standard: `standard` is what dapps get. */
export class StandardWallet {
  readonly #options: WalletOptions;
  readonly #endpoints: ReadonlyMap<string, string>;
  readonly #ownHost: string | undefined;
  readonly #tables: WalletOptions["lookupTables"];
  readonly #dialogs = new Dialogs();
  readonly #chains: readonly SolanaChain[];
  readonly #features: readonly `${string}:${string}`[];
  /** Every account that there ever was, so that identities stay. */
  readonly #known = new Map<string, WalletAccount>();
  readonly #listeners = new Set<{ readonly call: ChangeListener }>();
  #signers: ReadonlyMap<string, SolanaWallet> = new Map();
  #accounts: readonly WalletAccount[] = Object.freeze([]);
  #connecting: Promise<void> | undefined;
  /** How often it was disconnected: whatever began before does not count any more. */
  #ended = 0;
  #closed = false;
  readonly standard: { readonly features: Readonly<Record<string, object>>; readonly accounts: readonly WalletAccount[] };

  constructor(options: WalletOptions) {
    this.#options = options;
    this.#endpoints = new Map(Object.entries(own(options, "endpoints") ?? {}));
    this.#ownHost = own(options, "host");
    this.#tables = own(options, "lookupTables");
    this.#chains = Object.freeze([...(own(options, "chains") ?? CHAINS)]);
    const sends = this.#chains.some((chain) => this.#endpoints.get(chain) !== undefined);
    this.#features = Object.freeze(sends ? [...SIGNING, SENDING] : [...SIGNING]);
    const accounts = (): readonly WalletAccount[] => this.#accounts;
    this.standard = Object.freeze({
      version: "1.0.0",
      name: options.name,
      icon: options.icon,
      chains: this.#chains,
      features: this.#featuresFor(sends),
      get accounts() {
        return accounts();
      },
    });
  }

  disconnect(): void {
    this.#ended += 1;
    this.#connecting = undefined;
    this.#signers = new Map();
    this.#show([]);
  }

  /** Disconnects for good: whoever holds the wallet still can have nothing done by it. */
  close(): void {
    this.#closed = true;
    this.disconnect();
  }

  #featuresFor(sends: boolean): Readonly<Record<string, object>> {
    const supportedTransactionVersions = Object.freeze([...VERSIONS]);
    const own = { version: "1.0.0", supportedTransactionVersions };
    const features: Record<string, object> = {
      "standard:connect": { version: "1.0.0", connect: (input?: { readonly silent?: boolean }) => this.#answer(() => this.#connect(input?.silent === true)) },
      "standard:disconnect": { version: "1.0.0", disconnect: async () => this.disconnect() },
      "standard:events": { version: "1.0.0", on: (event: string, listener: ChangeListener) => this.#on(event, listener) },
      "solana:signTransaction": { ...own, signTransaction: (...inputs: readonly unknown[]) => this.#answer(() => this.#signTransactions(inputs)) },
      "solana:signMessage": { version: "1.1.0", signMessage: (...inputs: readonly unknown[]) => this.#answer(() => this.#signMessages(messageInputs(inputs))) },
      "solana:signIn": { version: "1.0.0", signIn: (...inputs: readonly unknown[]) => this.#answer(() => this.#signIn(inputs)) },
    };
    if (sends) {
      features[SENDING] = { ...own, signAndSendTransaction: (...inputs: readonly unknown[]) => this.#answer(() => this.#send(inputs)) };
    }
    Object.values(features).forEach((feature) => Object.freeze(feature));
    return Object.freeze(features);
  }

  /** One call of a dapp's: nothing once it is closed, and no error says what caused it in the page. */
  async #answer<T>(work: () => Promise<T>): Promise<T> {
    try {
      if (this.#closed) {
        throw closed();
      }
      return await work();
    } catch (error) {
      throw towardsDapp(error);
    }
  }

  async #connect(silent: boolean): Promise<{ accounts: readonly WalletAccount[] }> {
    if (!silent && this.#accounts.length === 0) {
      if (this.#connecting === undefined) {
        const prompt: Promise<void> = this.#prompt().finally(() => {
          // After a disconnect it may be another's.
          if (this.#connecting === prompt) {
            this.#connecting = undefined;
          }
        });
        this.#connecting = prompt;
      }
      await this.#connecting;
    }
    return { accounts: this.#accounts };
  }

  async #prompt(): Promise<void> {
    const before = this.#ended;
    const signers = await asked(() => this.#options.connect(), (error) => error instanceof KeywardError && error.code !== "rejected");
    if (before !== this.#ended) {
      throw notConnected();
    }
    if (!Array.isArray(signers) || signers.length === 0) {
      throw rejection();
    }
    const wallets = signers as readonly SolanaWallet[];
    this.#signers = new Map(wallets.map((signer) => [signer.address, signer]));
    this.#show([...this.#signers.values()].map((signer) => this.#account(signer)));
  }

  #on(event: string, listener: ChangeListener): () => void {
    const own = { call: listener };
    if (event === "change" && typeof listener === "function") {
      this.#listeners.add(own);
    }
    return () => {
      this.#listeners.delete(own);
    };
  }

  #show(accounts: readonly WalletAccount[]): void {
    const same = accounts.length === this.#accounts.length && accounts.every((own, at) => own === this.#accounts[at]);
    if (same) {
      return;
    }
    this.#accounts = Object.freeze([...accounts]);
    for (const { call } of [...this.#listeners]) {
      try {
        call({ accounts: this.#accounts });
      } catch (error) {
        // A dapp's fault in its own listener is the dapp's to see, and stops nobody else.
        globalThis.reportError?.(error);
      }
    }
  }

  #account(signer: SolanaWallet): WalletAccount {
    let account = this.#known.get(signer.address);
    if (account === undefined) {
      const publicKey = new Uint8Array(signer.publicKey);
      account = Object.freeze({
        address: signer.address,
        // Every dapp of the page has this object: none of them can change what the others read.
        get publicKey() {
          return new Uint8Array(publicKey);
        },
        chains: this.#chains,
        features: this.#features,
      });
      this.#known.set(signer.address, account);
    }
    return account;
  }

  #signer(address: string): SolanaWallet {
    const signer = this.#signers.get(address);
    if (signer === undefined) {
      throw notConnected();
    }
    return signer;
  }

  /** Ends what began before a disconnect, whoever has connected since. */
  #checkSince(begun: number): void {
    if (begun !== this.#ended) {
      throw notConnected();
    }
  }

  /** Asks for everything of a call in one turn, one by one. */
  async #confirmed(requests: readonly Confirmation[], begun: number): Promise<void> {
    requests.forEach(({ review }) => refuseUnlessAllowed(review.verdict));
    this.#checkSince(begun);
    await this.#dialogs.turn(async () => {
      for (const request of requests) {
        this.#checkSince(begun);
        const answer: unknown = await asked(() => this.#options.confirm(request));
        if (answer !== true) {
          throw rejection();
        }
        this.#checkSince(begun);
      }
    });
    this.#checkSince(begun);
  }

  /** Everything of a batch is confirmed before anything of it is signed. */
  async #signTransactions(inputs: readonly unknown[]): Promise<readonly { readonly signedTransaction: Uint8Array }[]> {
    const signed = await this.#signAll(transactionInputs(inputs), false);
    return signed.map((signedTransaction) => ({ signedTransaction }));
  }

  async #signAll(inputs: readonly TransactionInput[], send: boolean): Promise<readonly Uint8Array[]> {
    const begun = this.#ended;
    inputs.forEach(({ address, chain }) => {
      this.#checkChain(chain);
      this.#signer(address);
    });
    return this.#whileOpen(begun, async () => {
      const read = await Promise.all(inputs.map((input) => this.#read(input, begun)));
      read.forEach(({ review }) => refuseUnlessAllowed(review.verdict));
      const requests = inputs.map(({ address, chain }, at): Confirmation => {
        const { review } = read[at] as Reading;
        if (!send || chain === undefined) {
          return { kind: "transaction", address, send: false, claimedChain: chain, review };
        }
        refuseUnlessComplete(review, address);
        return { kind: "transaction", address, send: true, chain, review };
      });
      await this.#confirmed(requests, begun);
      return Promise.all(inputs.map(({ address, wire }, at) => this.#signer(address).signTransactionBytes(wire.slice(), read[at]?.config)));
    });
  }

  /** Reads a transaction; where the page gave a source of lookup tables, with those that it is signed with as well. */
  async #read({ address, wire }: TransactionInput, begun: number): Promise<Reading> {
    const signer = this.#signer(address);
    const named = this.#tables === undefined ? [] : ((await signer.lookupTables?.(wire.slice())) ?? []);
    this.#checkSince(begun);
    const lookupTables = named.length === 0 ? undefined : await this.#tables?.(named);
    this.#checkSince(begun);
    // A copy, so that what is signed rests on what was shown, whatever the source does to its own.
    const config = lookupTables === undefined ? undefined : { lookupTables: structuredClone(lookupTables) };
    return { review: await signer.inspect(wire.slice(), config), config };
  }

  async #signMessages(inputs: readonly MessageInput[]): Promise<readonly SignedMessage[]> {
    const begun = this.#ended;
    inputs.forEach(({ address }) => this.#signer(address));
    return this.#whileOpen(begun, async () => {
      const requests: Confirmation[] = [];
      for (const { address, message } of inputs) {
        this.#checkSince(begun);
        const review = await this.#signer(address).inspectMessage(message.slice());
        refuseUnlessAllowed(review.verdict);
        refuseHiddenSignIn(review);
        if (review.kind === "sign-in") {
          checkClaims(claimsOf(review), { host: this.#host(), address, nowMs: Date.now() });
        }
        requests.push({ kind: review.kind === "sign-in" ? "sign-in" : "message", address, review });
      }
      await this.#confirmed(requests, begun);
      const sign = async ({ address, message }: MessageInput): Promise<SignedMessage> => {
        const signature = await this.#signer(address).signMessage(message.slice());
        return { signedMessage: message, signature, signatureType: "ed25519" };
      };
      return Promise.all(inputs.map(sign));
    });
  }

  async #signIn(inputs: readonly unknown[]): Promise<readonly object[]> {
    const wanted = signInInputs(inputs);
    await this.#connect(false);
    const begun = this.#ended;
    const accounts: WalletAccount[] = [];
    const messages: MessageInput[] = [];
    for (const input of wanted) {
      const account = this.#accounts.find((own) => input.address === undefined || own.address === input.address);
      if (account === undefined) {
        throw new KeywardError("not-connected", "no connected account has the address that the sign-in names");
      }
      const text = signInText({ ...input, domain: input.domain ?? this.#host(), address: account.address });
      const message = new TextEncoder().encode(text);
      // The core reads it again: only what it reads as a sign-in is signed as one.
      const { kind } = await this.#whileOpen(begun, async () => this.#signer(account.address).inspectMessage(message.slice()));
      if (kind !== "sign-in") {
        throw new KeywardError("argument", "the sign-in is not well-formed; correct its fields");
      }
      accounts.push(account);
      messages.push({ address: account.address, message });
    }
    this.#checkSince(begun);
    const signed = await this.#signMessages(messages);
    return signed.map((output, at) => ({ account: accounts[at], ...output }));
  }

  async #send(inputs: readonly unknown[]): Promise<readonly { readonly signature: Uint8Array }[]> {
    const taken = transactionInputs(inputs);
    const plans = taken.map(({ chain, options }) => {
      this.#checkChain(chain);
      const endpoint = chain === undefined ? undefined : this.#endpoints.get(chain);
      if (endpoint === undefined) {
        throw new KeywardError("no-endpoint", "no RPC endpoint is configured for this chain; sign, and send it yourself");
      }
      return { endpoint, options: sendOptions(options) };
    });
    const signed = await this.#signAll(taken, true);
    const sent: { signature: Uint8Array }[] = [];
    for (const [at, { endpoint, options }] of plans.entries()) {
      try {
        sent.push({ signature: await sendTransaction(endpoint, signed[at] ?? new Uint8Array(), options) });
      } catch (error) {
        throw sent.length === 0 ? error : afterOthers(error, sent.length, plans.length);
      }
    }
    return sent;
  }

  /** Work with a signer; a vault that was locked under it ends the connection. */
  async #whileOpen<T>(begun: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (begun === this.#ended && error instanceof KeywardError && GONE.has(error.code)) {
        this.disconnect();
      }
      throw error;
    }
  }

  #checkChain(chain: string | undefined): void {
    if (chain !== undefined && !(this.#chains as readonly string[]).includes(chain)) {
      throw new KeywardError("chain", "this wallet is not on that chain; name one of its chains");
    }
  }

  #host(): string {
    return this.#ownHost ?? window.location.host;
  }
}

/** An envelope of an off-chain message around a sign-in would carry it past what is asked of sign-ins. */
function refuseHiddenSignIn(review: MessageReview): void {
  if (review.kind === "off-chain-message" && READS_AS_SIGN_IN.test(review.text)) {
    throw new KeywardError("refused", "the off-chain message reads as a sign-in; ask for it as a sign-in, outside of an envelope");
  }
}
