import { bytes, optionalBytes } from "../bytes.js";
import { KeywardError } from "../errors.js";
import type { Account, AccountsOptions, Chain, ImportKeyOptions, SignerOptions, SolanaSignerOptions } from "../vault.js";
import { asyncDisposable } from "./dispose.js";
import type { Link } from "./link.js";
import type { LockReason, Value } from "./protocol.js";
import { read } from "./read.js";
import { RemoteEvmSigner, RemoteSolanaSigner, evmFacts, solanaFacts } from "./remote-signers.js";

/** What the worker says of a vault that it opened. */
export interface VaultFacts {
  readonly handle: number;
  readonly id: string;
  readonly authority: "vault" | "page" | "unsound";
}

/** A vault that is open in the worker. */
export class RemoteVault {
  readonly #link: Link;
  readonly #handle: number;
  readonly #listeners = new Set<(why: LockReason) => void>();
  #locked: LockReason | undefined;
  #freed = false;
  /** The vault's name, 32 hexadecimal digits. */
  readonly id: string;
  /** Who says what is signed: the policy in the vault file, or without one the page. */
  readonly authority: "vault" | "page" | "unsound";

  /** @internal */
  constructor(link: Link, facts: VaultFacts) {
    this.#link = link;
    this.#handle = facts.handle;
    this.id = facts.id;
    this.authority = facts.authority;
    link.onLock(facts.handle, (why) => this.#onLocked(why));
  }

  /** Whether it was locked, as far as this side knows: the worker decides at each call. */
  get isLocked(): boolean {
    return this.#locked !== undefined || this.#link.hasEnded;
  }

  /** Calls `listener` once, soon after it is locked or if it is already: because it was asked, was idle, or the worker ended. */
  onLock(listener: (why: LockReason) => void): () => void {
    this.#listeners.add(listener);
    const why = this.#locked ?? (this.#link.hasEnded ? "terminated" : undefined);
    if (why !== undefined) {
      this.#tell(why);
    }
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Counts as use, so that it is not locked for being idle. */
  keepAlive(): Promise<void> {
    return this.#call("keepAlive", [], read.nothing);
  }

  /** The wallets that the vault holds. */
  wallets(): Promise<readonly Account[]> {
    return this.#call("wallets", [], accounts);
  }

  /** The accounts of the vault's phrase. */
  accounts(options: AccountsOptions = {}): Promise<readonly Account[]> {
    return this.#call("accounts", [{ ...options }], accounts);
  }

  /** Opens a Solana wallet; see `Vault.solana`. The source of lookup tables stays in the page. */
  async solana(which = "", options: SolanaSignerOptions = {}): Promise<RemoteSolanaSigner> {
    const password = optionalBytes(options.password, "password");
    const facts = await this.#call("solana", [which, password], solanaFacts);
    return new RemoteSolanaSigner(this.#link, facts, options.lookupTables);
  }

  /** Opens an EVM wallet; see `Vault.evm`. */
  async evm(which = "", options: SignerOptions = {}): Promise<RemoteEvmSigner> {
    const password = optionalBytes(options.password, "password");
    return new RemoteEvmSigner(this.#link, await this.#call("evm", [which, password], evmFacts));
  }

  /** Takes a key or a phrase into the vault; see `Vault.importKey`. */
  async importKey(key: Uint8Array, options: ImportKeyOptions = {}): Promise<readonly Account[]> {
    optionalBytes(options.password, "password");
    return this.#call("importKey", [bytes(key, "key"), { ...options }], accounts);
  }

  /** The vault as a `.keyward` file, encrypted. */
  export(): Promise<Uint8Array> {
    return this.#call("export", [], read.bytes);
  }

  /** Replaces the password; an abort rejects at once, and then nobody knows which of the two is in force. */
  async changePassword(
    current: Uint8Array,
    next: Uint8Array,
    options: { readonly secondFactor?: Uint8Array; readonly kdf?: string; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const second = optionalBytes(options.secondFactor, "secondFactor");
    const args = [bytes(current, "current"), bytes(next, "next"), second, options.kdf];
    return this.#call("changePassword", args, read.nothing, options.signal);
  }

  /** Wipes the vault's key and those of every signer that came from it. */
  lock(): Promise<void> {
    return this.#call("lock", [], read.nothing);
  }

  /** Locks and forgets it, and its signers; it cannot be used again. Twice does no harm. */
  async free(): Promise<void> {
    if (this.#freed) {
      return;
    }
    this.#freed = true;
    this.#link.forget(this.#handle);
    if (this.#link.hasEnded) {
      return;
    }
    const done = this.#link.call(this.#handle, "free", [], read.nothing);
    this.#onLocked("asked");
    await done;
  }

  #onLocked(why: LockReason): void {
    this.#locked ??= why;
    this.#tell(this.#locked);
  }

  /** Each in a turn of its own, so that none keeps the others from being told. */
  #tell(why: LockReason): void {
    const listeners = [...this.#listeners];
    listeners.forEach((listener) =>
      queueMicrotask(() => {
        if (this.#listeners.delete(listener)) {
          listener(why);
        }
      }),
    );
  }

  #call<T>(method: string, args: readonly Value[], reading: (value: Value) => T, signal?: AbortSignal): Promise<T> {
    if (this.#freed) {
      return Promise.reject(new KeywardError("freed", "the vault was freed; open it again"));
    }
    return this.#link.call(this.#handle, method, args, reading, { signal });
  }
}

asyncDisposable(RemoteVault.prototype);

function accounts(value: Value): readonly Account[] {
  return read.list(value).map((item) => {
    const { chain, address, path, label } = read.record(item);
    if (chain !== "solana" && chain !== "evm") {
      throw new KeywardError("worker", "the worker answered what this version does not know");
    }
    const named: Chain = chain;
    return { chain: named, address: read.string(address), path: path === null ? null : read.string(path), label: read.string(label) };
  });
}
