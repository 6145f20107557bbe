import { KeywardError } from "../errors.js";
import type { TransactionReview, Verdict } from "../review.js";
import { checkClaims } from "../sign-in.js";
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
import { sendTransaction } from "./send.js";
import { claimsOf, signInText } from "./sign-in.js";

const CHAINS: readonly SolanaChain[] = ["solana:mainnet", "solana:devnet", "solana:testnet"];
/** Codes of the signer that say: the vault is not open any more. */
const GONE = new Set(["locked", "freed", "terminated", "worker", "poisoned"]);
type SignedMessage = { readonly signedMessage: Uint8Array; readonly signature: Uint8Array; readonly signatureType: "ed25519" };

/** A wallet of Wallet Standard: `standard` is what dapps get. */
export class StandardWallet {
  readonly #options: WalletOptions;
  readonly #endpoints: Readonly<Partial<Record<string, string>>>;
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
  readonly standard: { readonly features: Readonly<Record<string, object>>; readonly accounts: readonly WalletAccount[] };

  constructor(options: WalletOptions) {
    this.#options = options;
    this.#endpoints = { ...options.endpoints };
    this.#chains = Object.freeze([...(options.chains ?? CHAINS)]);
    const sends = this.#chains.some((chain) => this.#endpoints[chain] !== undefined);
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

  #featuresFor(sends: boolean): Readonly<Record<string, object>> {
    const supportedTransactionVersions = Object.freeze([...VERSIONS]);
    const own = { version: "1.0.0", supportedTransactionVersions };
    const features: Record<string, object> = {
      "standard:connect": { version: "1.0.0", connect: (input?: { readonly silent?: boolean }) => this.#connect(input?.silent === true) },
      "standard:disconnect": { version: "1.0.0", disconnect: async () => this.disconnect() },
      "standard:events": { version: "1.0.0", on: (event: string, listener: ChangeListener) => this.#on(event, listener) },
      "solana:signTransaction": { ...own, signTransaction: async (...inputs: readonly unknown[]) => this.#signTransactions(inputs) },
      "solana:signMessage": { version: "1.1.0", signMessage: async (...inputs: readonly unknown[]) => this.#signMessages(messageInputs(inputs)) },
      "solana:signIn": { version: "1.0.0", signIn: async (...inputs: readonly unknown[]) => this.#signIn(inputs) },
    };
    if (sends) {
      features[SENDING] = { ...own, signAndSendTransaction: async (...inputs: readonly unknown[]) => this.#send(inputs) };
    }
    Object.values(features).forEach((feature) => Object.freeze(feature));
    return Object.freeze(features);
  }

  async #connect(silent: boolean): Promise<{ accounts: readonly WalletAccount[] }> {
    if (!silent && this.#accounts.length === 0) {
      this.#connecting ??= this.#prompt().finally(() => {
        this.#connecting = undefined;
      });
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
      account = Object.freeze({ address: signer.address, publicKey, chains: this.#chains, features: this.#features });
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

  async #confirmed(request: Confirmation): Promise<void> {
    refuseUnlessAllowed(request.review.verdict);
    const before = this.#ended;
    if ((await asked(() => this.#options.confirm(request))) !== true) {
      throw rejection();
    }
    if (before !== this.#ended) {
      throw notConnected();
    }
  }

  /** Everything of a batch is confirmed before anything of it is signed. */
  async #signTransactions(inputs: readonly unknown[]): Promise<readonly { readonly signedTransaction: Uint8Array }[]> {
    const signed = await this.#signAll(transactionInputs(inputs), false);
    return signed.map((signedTransaction) => ({ signedTransaction }));
  }

  async #signAll(inputs: readonly TransactionInput[], send: boolean): Promise<readonly Uint8Array[]> {
    inputs.forEach(({ address, chain }) => {
      this.#checkChain(chain);
      this.#signer(address);
    });
    return this.#whileOpen(async () => {
      const reviews = await Promise.all(inputs.map(({ address, wire }) => this.#signer(address).inspect(wire.slice())));
      reviews.forEach((review) => refuseUnlessAllowed(review.verdict));
      for (const [at, { address, chain }] of inputs.entries()) {
        const review = reviews[at] as TransactionReview;
        if (send) {
          refuseUnlessComplete(review, address);
        }
        await this.#confirmed({ kind: "transaction", address, chain, send, review });
      }
      return Promise.all(inputs.map(({ address, wire }) => this.#signer(address).signTransactionBytes(wire.slice())));
    });
  }

  async #signMessages(inputs: readonly MessageInput[]): Promise<readonly SignedMessage[]> {
    inputs.forEach(({ address }) => this.#signer(address));
    return this.#whileOpen(async () => {
      const requests: Confirmation[] = [];
      for (const { address, message } of inputs) {
        const review = await this.#signer(address).inspectMessage(message.slice());
        refuseUnlessAllowed(review.verdict);
        if (review.kind === "sign-in") {
          checkClaims(claimsOf(review), { host: this.#host(), address, nowMs: Date.now() });
        }
        requests.push({ kind: review.kind === "sign-in" ? "sign-in" : "message", address, review });
      }
      for (const request of requests) {
        await this.#confirmed(request);
      }
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
      const { kind } = await this.#whileOpen(async () => this.#signer(account.address).inspectMessage(message.slice()));
      if (kind !== "sign-in") {
        throw new KeywardError("argument", "the sign-in is not well-formed; correct its fields");
      }
      accounts.push(account);
      messages.push({ address: account.address, message });
    }
    const signed = await this.#signMessages(messages);
    return signed.map((output, at) => ({ account: accounts[at], ...output }));
  }

  async #send(inputs: readonly unknown[]): Promise<readonly { readonly signature: Uint8Array }[]> {
    const taken = transactionInputs(inputs);
    const plans = taken.map(({ chain, options }) => {
      this.#checkChain(chain);
      const endpoint = chain === undefined ? undefined : this.#endpoints[chain];
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
  async #whileOpen<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof KeywardError && GONE.has(error.code)) {
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
    return this.#options.host ?? window.location.host;
  }
}

/** What the page's callback gives; whatever it throws means no, unless it says more than that. */
async function asked<T>(callback: () => Promise<T>, saysMore: (error: unknown) => boolean = () => false): Promise<T> {
  try {
    return await callback();
  } catch (cause) {
    throw saysMore(cause) ? cause : rejection(cause);
  }
}

/** Dapps and adapters know a rejection by this very text, or by the number of EIP-1193 in what caused it. */
function rejection(cause: unknown = undefined): KeywardError {
  const reason = Object.freeze({ code: 4001, message: "User rejected the request.", ...(cause === undefined ? {} : { cause }) });
  return new KeywardError("rejected", reason.message, { cause: reason });
}

function notConnected(): KeywardError {
  return new KeywardError("not-connected", "this account is not connected; connect the wallet first");
}

function refuseUnlessAllowed(verdict: Verdict): void {
  if (!verdict.allowed) {
    const reasons = verdict.refusals;
    const why = reasons.map((reason) => reason.message).join("; and ");
    throw new KeywardError("refused", `the policy refuses it: ${why}`, { reasons });
  }
}

/** What would be sent must lack no signature but the one that is about to be made. */
function refuseUnlessComplete(review: TransactionReview, address: string): void {
  if (review.signatures.some((own) => own.address !== address && own.state !== "valid")) {
    throw new KeywardError("transaction", "others have to sign it before it can be sent; have them sign first, or sign without sending");
  }
}

function afterOthers(error: unknown, sent: number, all: number): unknown {
  if (!(error instanceof KeywardError)) {
    return error;
  }
  return new KeywardError(error.code, `${sent} of ${all} transactions were sent, then: ${error.message}`, { cause: error, reasons: error.reasons });
}
