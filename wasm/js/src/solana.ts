import type { RawSolanaSigner } from "./glue/keyward.js";
import { option, string } from "./arguments.js";
import { bytes } from "./bytes.js";
import { throwIfAborted } from "./engine.js";
import { Handle, disposable } from "./handle.js";
import type { MessageReview, TransactionReview } from "./review.js";

/** An address in base58, typed as `@solana/kit` types it. */
export type SolanaAddress = string & {
  readonly "__brand:@solana/kit": "Address";
  readonly "__stringEncoding:@solana/kit": "base58";
};

/** A signature of 64 bytes, typed as `@solana/kit` types it. */
export type SolanaSignature = Uint8Array & { readonly "__brand:@solana/kit": "SignatureBytes" };

/** Signatures by address, as `@solana/kit` signers give them. */
export type SignatureDictionary = Readonly<Record<SolanaAddress, SolanaSignature>>;

/** What lookup tables hold, by address: `AddressesByLookupTableAddress` of `@solana/kit`. */
export type LookupTables = Readonly<Record<string, readonly string[]>>;

/** Fetches what lookup tables hold. Without it, transactions that refer to one are refused: nobody could read them. */
export type LookupTableSource = (tables: readonly string[]) => Promise<LookupTables> | LookupTables;

/** What a call for signing can be given besides. */
export interface SigningConfig {
  readonly abortSignal?: AbortSignal;
}

/** For calls on one transaction: what its lookup tables hold, instead of asking the signer's own source. */
export interface TransactionConfig extends SigningConfig {
  readonly lookupTables?: LookupTables;
}

/**
 * A Solana wallet. Structurally `MessagePartialSigner` and `TransactionPartialSigner` of `@solana/kit`.
 *
 * Everything is decoded and judged before it is signed; see `inspect` for what to show to the person first.
 */
export class SolanaSigner {
  readonly #handle: Handle<RawSolanaSigner>;
  readonly #tables: LookupTableSource | undefined;
  readonly address: SolanaAddress;
  /** The 32 bytes of the address. */
  readonly publicKey: Uint8Array;
  /** The path that the wallet was derived by, if it was. */
  readonly path: string | undefined;

  private constructor(raw: RawSolanaSigner, tables: LookupTableSource | undefined) {
    this.#handle = new Handle(raw, "signer");
    this.#tables = tables;
    this.address = raw.address() as SolanaAddress;
    this.publicKey = raw.publicKey();
    this.path = raw.path();
  }

  /** @internal */
  static of(raw: RawSolanaSigner, tables: LookupTableSource | undefined): SolanaSigner {
    return new SolanaSigner(raw, tables);
  }

  /** Signs one message: text, a sign-in or an off-chain message. What could be a transaction is refused. */
  signMessage(message: Uint8Array): SolanaSignature {
    const content = bytes(message, "message");
    return this.#handle.use((raw) => raw.signMessage(content)) as SolanaSignature;
  }

  /** As {@link SolanaSigner.signMessage}, all or none. */
  async signMessages(
    messages: readonly { readonly content: Uint8Array }[],
    config: SigningConfig = {},
  ): Promise<readonly SignatureDictionary[]> {
    throwIfAborted(option(config, "abortSignal"));
    return messages.map((message) => this.#signed(this.signMessage(message.content)));
  }

  /** Signs compiled transactions of `@solana/kit`, all or none, and gives the signatures alone. */
  async signTransactions(
    transactions: readonly { readonly messageBytes: ArrayLike<number> }[],
    config: TransactionConfig = {},
  ): Promise<readonly SignatureDictionary[]> {
    const messages = transactions.map((transaction) => Uint8Array.from(transaction.messageBytes));
    const tables = await Promise.all(messages.map((message) => this.#lookup(message, option(config, "lookupTables"))));
    throwIfAborted(option(config, "abortSignal"));
    return messages.map((message, at) =>
      this.#signed(this.#handle.use((raw) => raw.signTransaction(message, tables[at] ?? "")) as SolanaSignature),
    );
  }

  /**
   * Signs a transaction in wire bytes (web3.js' `serialize`, Wallet Standard) and gives it back with this wallet's
   * signature in its place; all others stay as they are.
   */
  async signTransactionBytes(wire: Uint8Array, config: TransactionConfig = {}): Promise<Uint8Array> {
    const transaction = new Uint8Array(bytes(wire, "wire"));
    const tables = await this.#lookup(transaction, option(config, "lookupTables"));
    throwIfAborted(option(config, "abortSignal"));
    return this.#handle.use((raw) => raw.signTransactionBytes(transaction, tables));
  }

  /** What a transaction does, read from its bytes (wire bytes, or those of the message), and whether it may be signed. */
  async inspect(transaction: Uint8Array, config: TransactionConfig = {}): Promise<TransactionReview> {
    const given = new Uint8Array(bytes(transaction, "transaction"));
    const tables = await this.#lookup(given, option(config, "lookupTables"));
    return JSON.parse(this.#handle.use((raw) => raw.inspect(given, tables))) as TransactionReview;
  }

  /** What a message is and whether it may be signed. */
  inspectMessage(message: Uint8Array): MessageReview {
    const content = bytes(message, "message");
    return JSON.parse(this.#handle.use((raw) => raw.inspectMessage(content))) as MessageReview;
  }

  /** Wipes the key at once; the signer cannot be used again. */
  free(): void {
    this.#handle.free();
  }

  /** The lookup tables that a transaction refers to (wire bytes, or those of its message), by address. */
  lookupTables(transaction: Uint8Array): readonly string[] {
    const given = bytes(transaction, "transaction");
    return JSON.parse(this.#handle.use((raw) => raw.lookupTables(given))) as readonly string[];
  }

  async #lookup(transaction: Uint8Array, given: LookupTables | undefined): Promise<string> {
    const named = this.lookupTables(transaction);
    if (named.length === 0) {
      return "";
    }
    const tables = given ?? (await this.#tables?.(named));
    return tables === undefined ? "" : string(JSON.stringify(tables), "the lookup tables in JSON");
  }

  #signed(signature: SolanaSignature): SignatureDictionary {
    return Object.freeze({ [this.address]: signature });
  }
}

disposable(SolanaSigner.prototype);
