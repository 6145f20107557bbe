import { bytes, fromHex, type Hex } from "../bytes.js";
import { KeywardError } from "../errors.js";
import { documentJson, messageBytes, type EvmMessage, type TypedDataDocument } from "../evm-input.js";
import type { EvmMessageReview, EvmTransactionReview, MessageReview, TransactionReview, TypedDataReview } from "../review.js";
import type {
  LookupTables,
  LookupTableSource,
  SignatureDictionary,
  SigningConfig,
  SolanaAddress,
  SolanaSignature,
  TransactionConfig,
} from "../solana.js";
import { asyncDisposable } from "./dispose.js";
import { aborted, type Link } from "./link.js";
import type { Value } from "./protocol.js";
import { read } from "./read.js";

interface SignerFacts {
  readonly handle: number;
  readonly address: string;
  readonly publicKey: Uint8Array;
  readonly path: string | undefined;
}

/** Frees what the page forgot to free, if the engine ever says so. */
let forgotten: FinalizationRegistry<{ readonly link: Link; readonly handle: number }> | undefined;

function freeWhenForgotten(remote: object, link: Link, handle: number): void {
  forgotten ??= new FinalizationRegistry((lost) => {
    lost.link.call(lost.handle, "free", [], read.nothing).catch(() => undefined);
  });
  forgotten.register(remote, { link, handle }, remote);
}

/** What the calls of both kinds of signer have in common. */
class RemoteHandle {
  readonly #link: Link;
  readonly #handle: number;
  #freed = false;

  constructor(link: Link, handle: number) {
    this.#link = link;
    this.#handle = handle;
    freeWhenForgotten(this, link, handle);
  }

  call<T>(method: string, args: readonly Value[], reading: (value: Value) => T, signal?: AbortSignal): Promise<T> {
    if (this.#freed) {
      return Promise.reject(new KeywardError("freed", "the signer was freed; open it again"));
    }
    return this.#link.call(this.#handle, method, args, reading, { signal });
  }

  async free(): Promise<void> {
    if (!this.#freed) {
      this.#freed = true;
      forgotten?.unregister(this);
      await (this.#link.hasEnded ? undefined : this.#link.call(this.#handle, "free", [], read.nothing));
    }
  }
}

/** A Solana wallet whose key is in the worker. Structurally a partial signer of `@solana/kit`, as `SolanaSigner` is. */
export class RemoteSolanaSigner {
  readonly #remote: RemoteHandle;
  readonly #tables: LookupTableSource | undefined;
  readonly address: SolanaAddress;
  /** The 32 bytes of the address. */
  readonly publicKey: Uint8Array;
  /** The path that the wallet was derived by, if it was. */
  readonly path: string | undefined;

  /** @internal */
  constructor(link: Link, facts: SignerFacts, tables: LookupTableSource | undefined) {
    this.#remote = new RemoteHandle(link, facts.handle);
    this.#tables = tables;
    this.address = facts.address as SolanaAddress;
    this.publicKey = facts.publicKey;
    this.path = facts.path;
  }

  /** Signs one message; see `SolanaSigner.signMessage`. */
  async signMessage(message: Uint8Array, config: SigningConfig = {}): Promise<SolanaSignature> {
    return this.#remote.call("signMessage", [bytes(message, "message")], signature, config.abortSignal);
  }

  /** Signs messages, all or none. */
  async signMessages(
    messages: readonly { readonly content: Uint8Array }[],
    config: SigningConfig = {},
  ): Promise<readonly SignatureDictionary[]> {
    const contents = messages.map(({ content }) => bytes(content, "content"));
    return this.#batch(await this.#remote.call("signMessages", [contents], signatures, config.abortSignal), contents.length);
  }

  /** Signs compiled transactions of `@solana/kit`, all or none, and gives the signatures alone. */
  async signTransactions(
    transactions: readonly { readonly messageBytes: ArrayLike<number> }[],
    config: TransactionConfig = {},
  ): Promise<readonly SignatureDictionary[]> {
    const messages = transactions.map((transaction) => Uint8Array.from(transaction.messageBytes));
    const tables = await this.#lookup(messages, config);
    const signed = await this.#remote.call("signTransactions", [messages, tables], signatures, config.abortSignal);
    return this.#batch(signed, messages.length);
  }

  /** Signs a transaction in wire bytes and gives it back with this wallet's signature in its place. */
  async signTransactionBytes(wire: Uint8Array, config: TransactionConfig = {}): Promise<Uint8Array> {
    const transaction = new Uint8Array(bytes(wire, "wire"));
    const tables = await this.#lookup([transaction], config);
    return this.#remote.call("signTransactionBytes", [transaction, tables], read.bytes, config.abortSignal);
  }

  /** What a transaction does, read in the worker, and whether it may be signed. */
  async inspect(transaction: Uint8Array, config: TransactionConfig = {}): Promise<TransactionReview> {
    const given = new Uint8Array(bytes(transaction, "transaction"));
    const tables = await this.#lookup([given], config);
    return this.#remote.call("inspect", [given, tables], review<TransactionReview>, config.abortSignal);
  }

  /** What a message is and whether it may be signed. */
  async inspectMessage(message: Uint8Array): Promise<MessageReview> {
    return this.#remote.call("inspectMessage", [bytes(message, "message")], review<MessageReview>);
  }

  /** The lookup tables that a transaction refers to, by address. */
  async lookupTables(transaction: Uint8Array): Promise<readonly string[]> {
    return this.#remote.call("lookupTables", [[bytes(transaction, "transaction")]], (value) => read.list(value).map(read.string));
  }

  /** Wipes the key in the worker; the signer cannot be used again. Twice does no harm. */
  free(): Promise<void> {
    return this.#remote.free();
  }

  /** What the tables that these transactions name hold, asked of the page's own source. */
  async #lookup(transactions: readonly Uint8Array[], config: TransactionConfig): Promise<LookupTables | undefined> {
    const { abortSignal } = config;
    if (config.lookupTables !== undefined || this.#tables === undefined) {
      return config.lookupTables;
    }
    const named = await this.#remote.call("lookupTables", [transactions], (value) => read.list(value).map(read.string), abortSignal);
    return named.length === 0 ? undefined : unlessAborted(this.#tables(named), abortSignal);
  }

  #batch(signed: readonly SolanaSignature[], wanted: number): readonly SignatureDictionary[] {
    if (signed.length !== wanted) {
      throw strange();
    }
    return signed.map((own) => Object.freeze({ [this.address]: own }));
  }
}

/** Waits for the page's own function no longer than the call is wanted. */
function unlessAborted<T>(given: T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(aborted(signal));
    signal?.addEventListener("abort", onAbort, { once: true });
    Promise.resolve(given)
      .then(resolve, reject)
      .finally(() => signal?.removeEventListener("abort", onAbort));
  });
}

/** An EVM wallet whose key is in the worker. */
export class RemoteEvmSigner {
  readonly #remote: RemoteHandle;
  /** With the checksum of EIP-55. */
  readonly address: Hex;
  /** Compressed, 33 bytes. */
  readonly publicKey: Uint8Array;
  /** The path that the wallet was derived by, if it was. */
  readonly path: string | undefined;

  /** @internal */
  constructor(link: Link, facts: SignerFacts) {
    this.#remote = new RemoteHandle(link, facts.handle);
    this.address = hex(facts.address);
    this.publicKey = facts.publicKey;
    this.path = facts.path;
  }

  /** Signs a personal message (EIP-191). */
  async signMessage(message: EvmMessage): Promise<Hex> {
    return this.#remote.call("signMessage", [messageBytes(message)], hex);
  }

  /** Signs typed data (EIP-712). */
  async signTypedData(document: TypedDataDocument | string): Promise<Hex> {
    return this.#remote.call("signTypedData", [documentJson(document)], hex);
  }

  /** Signs a serialized, unsigned transaction; gives it ready to be sent. */
  async signTransaction(unsigned: Hex | Uint8Array): Promise<Hex> {
    return this.#remote.call("signTransaction", [fromHex(unsigned, "unsigned")], hex);
  }

  /** What an unsigned transaction does, and whether it may be signed. */
  async inspect(unsigned: Hex | Uint8Array): Promise<EvmTransactionReview> {
    return this.#remote.call("inspect", [fromHex(unsigned, "unsigned")], review<EvmTransactionReview>);
  }

  /** What a personal message says, and whether it may be signed. */
  async inspectMessage(message: EvmMessage): Promise<EvmMessageReview> {
    return this.#remote.call("inspectMessage", [messageBytes(message)], review<EvmMessageReview>);
  }

  /** What typed data says, and whether it may be signed. */
  async inspectTypedData(document: TypedDataDocument | string): Promise<TypedDataReview> {
    return this.#remote.call("inspectTypedData", [documentJson(document)], review<TypedDataReview>);
  }

  /** Wipes the key in the worker; the signer cannot be used again. Twice does no harm. */
  free(): Promise<void> {
    return this.#remote.free();
  }
}

asyncDisposable(RemoteSolanaSigner.prototype);
asyncDisposable(RemoteEvmSigner.prototype);

export function solanaFacts(value: Value): SignerFacts {
  return facts(value, 32);
}

export function evmFacts(value: Value): SignerFacts {
  return facts(value, 33);
}

function facts(value: Value, keyLength: number): SignerFacts {
  const { handle, address, publicKey, path } = read.record(value);
  const key = read.bytes(publicKey);
  if (key.length !== keyLength) {
    throw strange();
  }
  const shown = path === undefined ? undefined : read.string(path);
  return { handle: read.number(handle), address: read.string(address), publicKey: key, path: shown };
}

function signature(value: Value): SolanaSignature {
  const signed = read.bytes(value);
  if (signed.length !== 64) {
    throw strange();
  }
  return signed as SolanaSignature;
}

function signatures(value: Value): readonly SolanaSignature[] {
  return read.list(value).map((own) => signature(own as Value));
}

function hex(value: Value): Hex {
  const digits = read.string(value);
  if (!/^0x[0-9a-fA-F]*$/.test(digits)) {
    throw strange();
  }
  return digits as Hex;
}

/** A review must have its kind and a verdict that is one; what else is in it is only ever shown. */
function review<Review extends { readonly verdict: { readonly allowed: boolean } }>(value: Value): Review {
  const { kind, verdict } = read.record(value);
  const { allowed, refusals } = read.record(verdict);
  read.string(kind);
  read.list(refusals);
  if (typeof allowed !== "boolean") {
    throw strange();
  }
  return value as unknown as Review;
}

function strange(): KeywardError {
  return new KeywardError("worker", "the worker answered what this version does not know; load both from the same one");
}
