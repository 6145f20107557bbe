/**
 * Registers an open vault's Solana wallets with Wallet Standard, so that dapps in the same page find them.
 *
 * The keys stay with whoever made the signers; this holds none and asks before every signature. It draws nothing: the
 * page's `confirm` does.
 */
import { bytes } from "./bytes.js";
import { KeywardError } from "./errors.js";
import type { MessageReview, TransactionReview } from "./review.js";
import type { SolanaWallet } from "./wallets.js";

/** A chain of Solana as Wallet Standard names it. */
export type SolanaChain = "solana:mainnet" | "solana:devnet" | "solana:testnet" | "solana:localnet";

/** What the page asks its person about. Everything in it was read from the bytes that would be signed. */
export type Confirmation =
  | {
      readonly kind: "transaction";
      readonly address: string;
      readonly chain: string | undefined;
      /** Whether it is sent to the network at once. */
      readonly send: boolean;
      readonly review: TransactionReview;
    }
  | { readonly kind: "message" | "sign-in"; readonly address: string; readonly review: MessageReview };

export interface WalletOptions {
  /** The wallet's name in a dapp's list. */
  readonly name: string;
  /** A picture as a `data:` address: SVG, WebP, PNG or GIF. */
  readonly icon: `data:image/${"svg+xml" | "webp" | "png" | "gif"};base64,${string}`;
  readonly chains?: readonly SolanaChain[];
  /** Opens the vault if need be, and gives the wallets that the dapp may see. Never called for a silent connect. */
  readonly connect: () => Promise<readonly SolanaWallet[]>;
  /** Shows what would be signed; only `true` signs it. */
  readonly confirm: (request: Confirmation) => Promise<boolean>;
  /** An RPC endpoint for each chain on which transactions may be sent as well; without any, nothing is sent. */
  readonly endpoints?: Readonly<Partial<Record<SolanaChain, string>>>;
  /** What a sign-in must name as its domain; the page's own host unless given. */
  readonly host?: string;
}

/** An account as Wallet Standard has it. The same address gives the same object for as long as the wallet lives. */
export interface WalletAccount {
  readonly address: string;
  readonly publicKey: Uint8Array;
  readonly chains: readonly SolanaChain[];
  readonly features: readonly `${string}:${string}`[];
}

interface TransactionInput {
  readonly account: { readonly address: string };
  readonly transaction: Uint8Array;
  readonly chain?: string;
}

interface SendInput extends TransactionInput {
  readonly options?: { readonly skipPreflight?: boolean; readonly maxRetries?: number; readonly preflightCommitment?: string; readonly minContextSlot?: number };
}

/** What a dapp asks for when it wants somebody to sign in. */
export interface SignInInput {
  readonly domain?: string;
  readonly address?: string;
  readonly statement?: string;
  readonly uri?: string;
  readonly version?: string;
  readonly chainId?: string;
  readonly nonce?: string;
  readonly issuedAt?: string;
  readonly expirationTime?: string;
  readonly notBefore?: string;
  readonly requestId?: string;
  readonly resources?: readonly string[];
}

type ChangeListener = (properties: { readonly accounts?: readonly WalletAccount[] }) => void;

/** A registered wallet. */
export interface RegisteredWallet {
  /** Says that the vault was locked: the dapp sees no account until it connects again. */
  disconnect(): void;
  /** Ends it for dapps that look from now on. */
  unregister(): void;
}

const SIGNING = ["solana:signTransaction", "solana:signMessage", "solana:signIn"] as const;
const SENDING = "solana:signAndSendTransaction";
const VERSIONS = ["legacy", 0] as const;

/** Registers a wallet with every dapp of the page, those that come later included. */
export function registerWallet(options: WalletOptions): RegisteredWallet {
  const wallet = new StandardWallet(options);
  const unregisters: (() => void)[] = [];
  let registered = true;
  const register = (api: unknown): void => {
    const { register: add } = api as { register(wallet: unknown): () => void };
    if (registered) {
      unregisters.push(add(wallet.standard));
    }
  };
  const onReady = (event: Event): void => register((event as CustomEvent<unknown>).detail);
  window.addEventListener("wallet-standard:app-ready", onReady);
  window.dispatchEvent(new CustomEvent("wallet-standard:register-wallet", { detail: register }));
  return {
    disconnect: () => wallet.disconnect(),
    unregister: () => {
      registered = false;
      window.removeEventListener("wallet-standard:app-ready", onReady);
      unregisters.splice(0).forEach((unregister) => unregister());
      wallet.disconnect();
    },
  };
}

class StandardWallet {
  readonly #options: WalletOptions;
  readonly #chains: readonly SolanaChain[];
  readonly #features: readonly `${string}:${string}`[];
  /** Every account that there ever was, so that identities stay. */
  readonly #known = new Map<string, WalletAccount>();
  readonly #listeners = new Set<ChangeListener>();
  #signers = new Map<string, SolanaWallet>();
  #accounts: readonly WalletAccount[] = Object.freeze([]);
  readonly standard: object;

  constructor(options: WalletOptions) {
    this.#options = options;
    this.#chains = Object.freeze([...(options.chains ?? (["solana:mainnet", "solana:devnet", "solana:testnet"] as const))]);
    const sends = Object.keys(options.endpoints ?? {}).length > 0;
    this.#features = Object.freeze(sends ? [...SIGNING, SENDING] : [...SIGNING]);
    const features: Record<string, object> = {
      "standard:connect": { version: "1.0.0", connect: (input?: { silent?: boolean }) => this.#connect(input) },
      "standard:disconnect": { version: "1.0.0", disconnect: async () => this.disconnect() },
      "standard:events": { version: "1.0.0", on: (event: string, listener: ChangeListener) => this.#on(event, listener) },
      "solana:signTransaction": {
        version: "1.0.0",
        supportedTransactionVersions: VERSIONS,
        signTransaction: (...inputs: readonly TransactionInput[]) => this.#signTransactions(inputs),
      },
      "solana:signMessage": {
        version: "1.1.0",
        signMessage: (...inputs: readonly { account: { address: string }; message: Uint8Array }[]) =>
          this.#signMessages(inputs),
      },
      "solana:signIn": { version: "1.0.0", signIn: (...inputs: readonly SignInInput[]) => this.#signIn(inputs) },
    };
    if (sends) {
      features[SENDING] = {
        version: "1.0.0",
        supportedTransactionVersions: VERSIONS,
        signAndSendTransaction: (...inputs: readonly SendInput[]) => this.#send(inputs),
      };
    }
    const accounts = (): readonly WalletAccount[] => this.#accounts;
    this.standard = Object.freeze({
      version: "1.0.0",
      name: options.name,
      icon: options.icon,
      chains: this.#chains,
      features: Object.freeze(features),
      get accounts() {
        return accounts();
      },
    });
  }

  disconnect(): void {
    this.#signers = new Map();
    this.#show([]);
  }

  async #connect(input: { silent?: boolean } | undefined): Promise<{ accounts: readonly WalletAccount[] }> {
    if (input?.silent !== true) {
      const signers = await this.#options.connect();
      this.#signers = new Map(signers.map((signer) => [signer.address, signer]));
      this.#show(signers.map((signer) => this.#account(signer)));
    }
    return { accounts: this.#accounts };
  }

  #on(event: string, listener: ChangeListener): () => void {
    if (event === "change") {
      this.#listeners.add(listener);
    }
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #show(accounts: readonly WalletAccount[]): void {
    const same = accounts.length === this.#accounts.length && accounts.every((own, at) => own === this.#accounts[at]);
    if (same) {
      return;
    }
    this.#accounts = Object.freeze([...accounts]);
    for (const listener of [...this.#listeners]) {
      listener({ accounts: this.#accounts });
    }
  }

  #account(signer: SolanaWallet): WalletAccount {
    let account = this.#known.get(signer.address);
    if (account === undefined) {
      const publicKey = signer.publicKey.slice();
      account = Object.freeze({ address: signer.address, publicKey, chains: this.#chains, features: this.#features });
      this.#known.set(signer.address, account);
    }
    return account;
  }

  #signer(address: string): SolanaWallet {
    const signer = this.#signers.get(address);
    if (signer === undefined) {
      throw new KeywardError("not-connected", "this account is not connected; connect the wallet first");
    }
    return signer;
  }

  async #confirmed(request: Confirmation): Promise<void> {
    const { verdict } = request.review;
    if (!verdict.allowed) {
      const reasons = verdict.refusals;
      const why = reasons.map((reason) => reason.message).join("; and ");
      throw new KeywardError("refused", `the policy refuses it: ${why}`, { reasons });
    }
    if ((await this.#options.confirm(request)) !== true) {
      throw new KeywardError("rejected", "the person rejected it");
    }
  }

  /** Everything of a batch is confirmed before anything of it is signed. */
  async #signTransactions(
    inputs: readonly TransactionInput[],
    send = false,
  ): Promise<readonly { signedTransaction: Uint8Array }[]> {
    const asked = inputs.map(({ account, transaction, chain }) => {
      this.#checkChain(chain);
      return { signer: this.#signer(account.address), wire: bytes(transaction, "transaction").slice(), chain };
    });
    for (const { signer, wire, chain } of asked) {
      const review = await signer.inspect(wire);
      await this.#confirmed({ kind: "transaction", address: signer.address, chain, send, review });
    }
    const signed: { signedTransaction: Uint8Array }[] = [];
    for (const { signer, wire } of asked) {
      signed.push({ signedTransaction: await signer.signTransactionBytes(wire) });
    }
    return signed;
  }

  async #signMessages(
    inputs: readonly { readonly account: { readonly address: string }; readonly message: Uint8Array }[],
  ): Promise<readonly { signedMessage: Uint8Array; signature: Uint8Array; signatureType: "ed25519" }[]> {
    const asked = inputs.map(({ account, message }) => ({
      signer: this.#signer(account.address),
      message: bytes(message, "message").slice(),
    }));
    for (const { signer, message } of asked) {
      const review = await signer.inspectMessage(message);
      if (review.kind === "sign-in") {
        this.#checkDomain(review.domain);
      }
      const kind = review.kind === "sign-in" ? "sign-in" : "message";
      await this.#confirmed({ kind, address: signer.address, review });
    }
    return Promise.all(
      asked.map(async ({ signer, message }) => ({
        signedMessage: message,
        signature: await signer.signMessage(message),
        signatureType: "ed25519" as const,
      })),
    );
  }

  async #signIn(inputs: readonly SignInInput[]): Promise<readonly object[]> {
    if (this.#accounts.length === 0) {
      await this.#connect(undefined);
    }
    const asked = inputs.length === 0 ? [{}] : inputs;
    const outputs: object[] = [];
    for (const input of asked) {
      const account = this.#accounts.find((own) => input.address === undefined || own.address === input.address);
      if (account === undefined) {
        throw new KeywardError("not-connected", "no connected account has the address that the sign-in names");
      }
      const text = signInText({ ...input, domain: input.domain ?? this.#host(), address: account.address });
      const message = new TextEncoder().encode(text);
      // The core reads it again: only what it reads as a sign-in is signed as one.
      if ((await this.#signer(account.address).inspectMessage(message)).kind !== "sign-in") {
        throw new KeywardError("argument", "the sign-in is not well-formed; correct its fields");
      }
      const [signed] = await this.#signMessages([{ account, message }]);
      outputs.push({ account, ...signed });
    }
    return outputs;
  }

  async #send(inputs: readonly SendInput[]): Promise<readonly { signature: Uint8Array }[]> {
    const endpoints = inputs.map(({ chain }) => {
      const endpoint = chain === undefined ? undefined : this.#options.endpoints?.[chain as SolanaChain];
      if (endpoint === undefined) {
        throw new KeywardError("no-endpoint", "no RPC endpoint is configured for this chain; sign, and send it yourself");
      }
      return endpoint;
    });
    const signed = await this.#signTransactions(inputs, true);
    const sent: { signature: Uint8Array }[] = [];
    for (const [at, { signedTransaction }] of signed.entries()) {
      await sendTransaction(endpoints[at] ?? "", signedTransaction, inputs[at]?.options);
      // The fee payer's signature, which is the transaction's name; fewer than 128 signatures have one byte of count.
      sent.push({ signature: signedTransaction.slice(1, 65) });
    }
    return sent;
  }

  #checkChain(chain: string | undefined): void {
    if (chain !== undefined && !(this.#chains as readonly string[]).includes(chain)) {
      throw new KeywardError("chain", "this wallet is not on that chain; name one of its chains");
    }
  }

  #checkDomain(domain: string): void {
    if (domain.toLowerCase() !== this.#host().toLowerCase()) {
      throw new KeywardError("domain", "the sign-in is for another site than this one; do not sign it");
    }
  }

  #host(): string {
    return this.#options.host ?? window.location.host;
  }
}

async function sendTransaction(endpoint: string, wire: Uint8Array, options: SendInput["options"]): Promise<void> {
  let binary = "";
  for (const byte of wire) {
    binary += String.fromCharCode(byte);
  }
  const parameters = [btoa(binary), { ...options, encoding: "base64" }];
  let answer: { result?: unknown; error?: { message?: unknown } };
  try {
    const response = await fetch(endpoint, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "sendTransaction", params: parameters }),
    });
    answer = (await response.json()) as typeof answer;
  } catch (cause) {
    throw new KeywardError("send", "the node did not answer; the transaction is signed and may have been sent", { cause });
  }
  if (typeof answer.result !== "string") {
    throw new KeywardError("send", `the node refused the transaction: ${String(answer.error?.message)}`);
  }
}

/** The text of a sign-in, in the order of its fields (EIP-4361, as Solana's wallets have it). */
function signInText(input: SignInInput & { readonly domain: string; readonly address: string }): string {
  let text = `${input.domain} wants you to sign in with your Solana account:\n${input.address}`;
  if (input.statement !== undefined) {
    text += `\n\n${input.statement}`;
  }
  const lines = (
    [
      ["URI", input.uri],
      ["Version", input.version],
      ["Chain ID", input.chainId],
      ["Nonce", input.nonce],
      ["Issued At", input.issuedAt],
      ["Expiration Time", input.expirationTime],
      ["Not Before", input.notBefore],
      ["Request ID", input.requestId],
    ] as const
  ).flatMap(([label, value]) => (value === undefined ? [] : [`${label}: ${value}`]));
  if (input.resources !== undefined) {
    lines.push("Resources:", ...input.resources.map((resource) => `- ${resource}`));
  }
  return lines.length === 0 ? text : `${text}\n\n${lines.join("\n")}`;
}
