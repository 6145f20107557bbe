/**
 * The half of the page: it holds no key, only handles of what the worker holds. See `keyward/worker`.
 */
import { bytes, optionalBytes } from "./bytes.js";
import { KeywardError } from "./errors.js";
import { Link, type WorkerLike } from "./rpc/link.js";
import { DEFAULT_AUTO_LOCK_MS, MAX_AUTO_LOCK_MS, MIN_AUTO_LOCK_MS, type Value } from "./rpc/protocol.js";
import { read } from "./rpc/read.js";
import { RemoteVault, type VaultFacts } from "./rpc/remote-vault.js";
import type { CreateVaultOptions, MnemonicCheck, OpenVaultOptions, VaultDescription } from "./vault.js";

export type { LockReason } from "./rpc/protocol.js";
export type { WorkerLike } from "./rpc/link.js";
export { RemoteVault } from "./rpc/remote-vault.js";
export { RemoteEvmSigner, RemoteSolanaSigner } from "./rpc/remote-signers.js";
export { KeywardError, type RefusalReason } from "./errors.js";
export type {
  Account,
  AccountsOptions,
  Chain,
  ImportKeyOptions,
  KeyFormat,
  PathFamily,
  SignerOptions,
  SolanaSignerOptions,
} from "./vault.js";
export type { CreateVaultOptions, MnemonicCheck, OpenVaultOptions, VaultDescription };

/** How long a worker may take to load and answer, in milliseconds. */
const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_TIMEOUT_MS = 600_000;
/** How long it may take to wipe before it is ended all the same. */
const END_TIMEOUT_MS = 1_000;

export interface ConnectOptions {
  /** What the worker loads the WebAssembly module from; from beside its own file unless given. */
  readonly module?: string | URL | Uint8Array | ArrayBuffer | WebAssembly.Module;
  /** After how long without use the worker locks a vault: 1 second to a day, 5 minutes unless given. */
  readonly autoLockMs?: number;
  /** How long the worker may take to answer, 30 seconds unless given. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Makes the caller's worker, in which `serve()` of `keyward/worker` was called, this page's key store. */
export async function connect(worker: WorkerLike, options: ConnectOptions = {}): Promise<Client> {
  const { autoLockMs = DEFAULT_AUTO_LOCK_MS, timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
  if (!Number.isFinite(autoLockMs) || autoLockMs < MIN_AUTO_LOCK_MS || autoLockMs > MAX_AUTO_LOCK_MS) {
    throw new KeywardError("number", "autoLockMs must be from 1000 (a second) to 86400000 (a day)");
  }
  if (!Number.isFinite(timeoutMs) || timeoutMs < 1 || timeoutMs > MAX_TIMEOUT_MS) {
    throw new KeywardError("number", "timeoutMs must be from 1 to 600000 (ten minutes)");
  }
  const link = new Link(worker);
  const timer = setTimeout(() => {
    link.end(new KeywardError("worker", "the worker did not answer; check that it calls serve() as soon as it starts"));
  }, timeoutMs);
  try {
    const version = await link.call(0, "hello", [autoLockMs, crossing(options.module)], read.string, { signal });
    return new Client(link, version);
  } catch (error) {
    link.end(error instanceof KeywardError ? error : new KeywardError("worker", "the worker could not be used"));
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** A worker that holds keys, seen from the page. Every method may be rejected with the codes of its local namesake. */
export class Client {
  readonly #link: Link;
  readonly #version: string;

  /** @internal */
  constructor(link: Link, version: string) {
    this.#link = link;
    this.#version = version;
  }

  /** The version of the worker's core. */
  async version(): Promise<string> {
    return this.#version;
  }

  /** A new English phrase, in UTF-8. It leaves the worker to be shown: wipe it once it is written down. */
  generateMnemonic(words = 24): Promise<Uint8Array> {
    return this.#link.call(0, "generateMnemonic", [words], read.bytes);
  }

  /** Whether a phrase in UTF-8 can be used, and if not, why. */
  async validateMnemonic(phrase: Uint8Array): Promise<MnemonicCheck> {
    return this.#link.call(0, "validateMnemonic", [bytes(phrase, "phrase")], check);
  }

  /** What a `.keyward` file shows without its password. */
  async describeVault(file: Uint8Array): Promise<VaultDescription> {
    return this.#link.call(0, "describeVault", [bytes(file, "file")], description);
  }

  /** Makes a vault; see `createVault` of `keyward`. */
  async createVault(password: Uint8Array, options: CreateVaultOptions = {}): Promise<RemoteVault> {
    const { signal, ...rest } = options;
    optionalBytes(rest.phrase, "phrase");
    optionalBytes(rest.passphrase, "passphrase");
    optionalBytes(rest.secondFactor, "secondFactor");
    return this.#open("createVault", [bytes(password, "password"), { ...rest }], signal);
  }

  /** Opens a `.keyward` file; see `openVault` of `keyward`. An abort rejects at once, and the worker forgets the vault. */
  async openVault(file: Uint8Array, password: Uint8Array, options: OpenVaultOptions = {}): Promise<RemoteVault> {
    const second = optionalBytes(options.secondFactor, "secondFactor");
    return this.#open("openVault", [bytes(file, "file"), bytes(password, "password"), second], options.signal);
  }

  /** Opens a `.keyward` file with its recovery key. */
  async openVaultWithRecovery(
    file: Uint8Array,
    recoveryKey: Uint8Array,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<RemoteVault> {
    return this.#open("openVaultWithRecovery", [bytes(file, "file"), bytes(recoveryKey, "recoveryKey")], options.signal);
  }

  /** Wipes every vault and signer, then ends the worker. What is on its way is rejected with the code `terminated`. */
  terminate(): Promise<void> {
    return this.#link.windUp(new KeywardError("terminated", "the worker was ended; connect to a new one"), END_TIMEOUT_MS);
  }

  async #open(method: string, args: readonly Value[], signal: AbortSignal | undefined): Promise<RemoteVault> {
    const late = ({ handle }: VaultFacts): void => {
      this.#link.call(handle, "free", [], read.nothing).catch(() => undefined);
    };
    const facts = await this.#link.call(0, method, args, vaultFacts, { signal, late });
    return new RemoteVault(this.#link, facts);
  }
}

function crossing(module: ConnectOptions["module"]): Value {
  if (typeof module === "string" || module instanceof URL) {
    // As the page would resolve it: the worker's own address is another.
    const { location } = globalThis as { location?: { href: string } };
    return new URL(module, location?.href).href;
  }
  if (module instanceof ArrayBuffer) {
    return new Uint8Array(module);
  }
  return module;
}

function vaultFacts(value: Value): VaultFacts {
  const { handle, id, authority } = read.record(value);
  if (authority !== "vault" && authority !== "page" && authority !== "unsound") {
    throw new KeywardError("worker", "the worker answered what this version does not know");
  }
  return { handle: read.number(handle), id: read.string(id), authority };
}

function check(value: Value): MnemonicCheck {
  const { valid, words, code, message, position } = read.record(value);
  if (valid === true) {
    return { valid, words: read.number(words) };
  }
  return {
    valid: false,
    code: read.string(code),
    message: read.string(message),
    position: position === undefined ? undefined : read.number(position),
  };
}

function description(value: Value): VaultDescription {
  const { id, needsSecondFactor } = read.record(value);
  return { id: read.string(id), needsSecondFactor: needsSecondFactor !== false };
}
