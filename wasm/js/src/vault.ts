import { RawVault, checkMnemonic, generateMnemonic as generate, version as coreVersion } from "./glue/keyward.js";
import { number, option, optionalString, string, withCopies } from "./arguments.js";
import { bytes, optionalBytes } from "./bytes.js";
import { breathe, call, isPoisoned, throwIfAborted } from "./engine.js";
import { KeywardError } from "./errors.js";
import { EvmSigner } from "./evm.js";
import { Handle, disposable } from "./handle.js";
import { SolanaSigner, type LookupTableSource } from "./solana.js";

/** A family of chains. */
export type Chain = "solana" | "evm";

/** How the paths of a phrase's accounts are counted. */
export type PathFamily =
  | "bip44-change"
  | "bip44"
  | "bip44-root"
  | "sollet"
  | "raw"
  | "evm-bip44"
  | "evm-ledger-live"
  | "evm-legacy";

/** How keys are written by other programs. */
export type KeyFormat =
  | "solana-keygen"
  | "base58"
  | "hex"
  | "raw"
  | "phrase"
  | "wallet"
  | "encrypted-json"
  | "keystore-v3";

/** A wallet that a vault holds, or one of the accounts of its phrase. */
export interface Account {
  readonly chain: Chain;
  readonly address: string;
  readonly path: string | null;
  readonly label: string;
}

/** Whether bytes are a phrase that can be used, and if not, why. */
export type MnemonicCheck =
  | { readonly valid: true; readonly words: number }
  | {
      readonly valid: false;
      readonly code: string;
      readonly message: string;
      /** Which word is unknown, counted from 1. */
      readonly position: number | undefined;
    };

/** What a vault file shows without its password. */
export interface VaultDescription {
  readonly id: string;
  readonly needsSecondFactor: boolean;
}

export interface CreateVaultOptions {
  /** A phrase in UTF-8; without it the vault is empty until something is imported. */
  readonly phrase?: Uint8Array;
  /** The phrase's BIP-39 passphrase in UTF-8. */
  readonly passphrase?: Uint8Array;
  /** Needed besides the password, as the console takes it. */
  readonly secondFactor?: Uint8Array;
  /** The key stretching: `scrypt-131072` unless named otherwise. */
  readonly kdf?: string;
  readonly signal?: AbortSignal;
}

export interface OpenVaultOptions {
  readonly secondFactor?: Uint8Array;
  /** Looked at before and after the key stretching, which nothing can interrupt on one thread. */
  readonly signal?: AbortSignal;
}

export interface ImportKeyOptions {
  /** The format, where it is not to be detected. */
  readonly format?: KeyFormat;
  /** The chain, where the bytes do not tell. */
  readonly chain?: Chain;
  /** The password of an encrypted file. */
  readonly password?: Uint8Array;
  readonly label?: string;
}

export interface AccountsOptions {
  readonly family?: PathFamily;
  readonly start?: number;
  /** At most 1024. */
  readonly count?: number;
}

export interface SignerOptions {
  /** The wallet's own password, if it has one. */
  readonly password?: Uint8Array;
}

export interface SolanaSignerOptions extends SignerOptions {
  readonly lookupTables?: LookupTableSource;
}

/**
 * An open vault. Lock it as soon as it is not needed: that wipes its key and those of all its signers, in this
 * module's memory. Arrays that the page passed in are the page's to wipe.
 */
export class Vault {
  readonly #handle: Handle<RawVault>;
  /** The vault's name, 32 hexadecimal digits. */
  readonly id: string;
  /** Who says what is signed: the policy in the vault file, or without one the page. */
  readonly authority: "vault" | "page" | "unsound";

  private constructor(raw: RawVault) {
    this.#handle = new Handle(raw, "vault");
    this.id = raw.id();
    this.authority = raw.authority() as "vault" | "page" | "unsound";
  }

  /** @internal */
  static of(raw: RawVault): Vault {
    return new Vault(raw);
  }

  /** Also after a fault of the module (`internal`), which wipes all keys. */
  get isLocked(): boolean {
    return isPoisoned() || this.#handle.use((raw) => raw.isLocked());
  }

  /** The wallets that the vault holds. */
  wallets(): readonly Account[] {
    return JSON.parse(this.#handle.use((raw) => raw.wallets())) as readonly Account[];
  }

  /** The accounts of the vault's phrase; they need not be wallets of the vault to sign, see {@link Vault.solana}. */
  accounts(options: AccountsOptions = {}): readonly Account[] {
    const family = optionalString(option(options, "family"), "family") ?? "bip44-change";
    const start = number(option(options, "start") ?? 0, "start");
    const count = number(option(options, "count") ?? 1, "count");
    return JSON.parse(this.#handle.use((raw) => raw.accounts(family, start, count))) as readonly Account[];
  }

  /** Opens a Solana wallet by a path of the phrase, such as `m/44'/501'/0'/0'`, or by its address; else the first. */
  solana(which = "", options: SolanaSignerOptions = {}): SolanaSigner {
    const named = string(which, "which");
    const password = optionalBytes(option(options, "password"), "password");
    const tables = option(options, "lookupTables");
    return this.#handle.use((raw) => SolanaSigner.of(raw.solana(named, password), tables));
  }

  /** Opens an EVM wallet by a path of the phrase, such as `m/44'/60'/0'/0/0`, or by its address; else the first. */
  evm(which = "", options: SignerOptions = {}): EvmSigner {
    const named = string(which, "which");
    const password = optionalBytes(option(options, "password"), "password");
    return this.#handle.use((raw) => EvmSigner.of(raw.evm(named, password)));
  }

  /** Takes a key or a phrase into the vault, in any format that Keyward reads. Export the vault to keep it. */
  importKey(key: Uint8Array, options: ImportKeyOptions = {}): readonly Account[] {
    const given = bytes(key, "key");
    const format = optionalString(option(options, "format"), "format") ?? "";
    const chain = optionalString(option(options, "chain"), "chain") ?? "";
    const label = optionalString(option(options, "label"), "label") ?? "";
    const password = optionalBytes(option(options, "password"), "password");
    const imported = this.#handle.use((raw) => raw.importKey(given, format, chain, password, label));
    return JSON.parse(imported) as readonly Account[];
  }

  /** The vault as a `.keyward` file, encrypted; the console opens it as well. */
  export(): Uint8Array {
    return this.#handle.use((raw) => raw.exportVault());
  }

  /**
   * Replaces the password. Files that were exported before still open with the old one. The arrays are read before this
   * returns its promise, and may be wiped from then on.
   */
  async changePassword(
    current: Uint8Array,
    next: Uint8Array,
    options: { readonly secondFactor?: Uint8Array; readonly kdf?: string; readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const secondFactor = option(options, "secondFactor");
    const kdf = optionalString(option(options, "kdf"), "kdf") ?? "";
    const signal = option(options, "signal");
    await withCopies({ current, next, secondFactor }, ["current", "next"], async (copies) => {
      await breathe(signal);
      this.#handle.use((raw) => raw.changePassword(copies.current, copies.next, copies.secondFactor, kdf));
    });
  }

  /** Wipes the vault's key and those of every signer that came from it. After a fault that has happened already. */
  lock(): void {
    if (!isPoisoned()) {
      this.#handle.use((raw) => raw.lock());
    }
  }

  /** Locks and forgets it; the object cannot be used again. */
  free(): void {
    this.#handle.free();
  }
}

disposable(Vault.prototype);

/** The version of the core. */
export function version(): string {
  return call(() => coreVersion());
}

/** A new English phrase of 12, 15, 18, 21 or 24 words, in UTF-8. Wipe it with `fill(0)` once it is written down. */
export function generateMnemonic(words = 24): Uint8Array {
  const count = number(words, "words");
  return call(() => generate(count));
}

/** Whether a phrase in UTF-8 can be used, and if not, why. */
export function validateMnemonic(phrase: Uint8Array): MnemonicCheck {
  const given = bytes(phrase, "phrase");
  try {
    return { valid: true, words: call(() => checkMnemonic(given)) };
  } catch (error) {
    if (error instanceof KeywardError && (error.code.startsWith("phrase") || error.code === "not-utf8" || error.code === "too-long")) {
      return { valid: false, code: error.code, message: error.message, position: error.position };
    }
    throw error;
  }
}

/**
 * Makes a vault under a password of at least 12 characters, in UTF-8. `export()` gives the file to keep. The arrays are
 * read before this returns its promise, and may be wiped from then on; so it is with the functions below.
 */
export async function createVault(password: Uint8Array, options: CreateVaultOptions = {}): Promise<Vault> {
  const phrase = option(options, "phrase");
  const passphrase = option(options, "passphrase");
  const secondFactor = option(options, "secondFactor");
  const kdf = optionalString(option(options, "kdf"), "kdf") ?? "";
  const signal = option(options, "signal");
  return withCopies({ password, phrase, passphrase, secondFactor }, ["password"], async (own) => {
    await breathe(signal);
    return unlessAborted(call(() => RawVault.create(own.password, own.phrase, own.passphrase, own.secondFactor, kdf)), signal);
  });
}

/** Opens a `.keyward` file, of this package or of the console, with its password in UTF-8. */
export async function openVault(
  file: Uint8Array,
  password: Uint8Array,
  options: OpenVaultOptions = {},
): Promise<Vault> {
  const secondFactor = option(options, "secondFactor");
  const signal = option(options, "signal");
  return withCopies({ file, password, secondFactor }, ["file", "password"], async (own) => {
    await breathe(signal);
    return unlessAborted(call(() => RawVault.open(own.file, own.password, own.secondFactor)), signal);
  });
}

/** Opens a `.keyward` file with its recovery key, as its owner wrote it down, in UTF-8. */
export async function openVaultWithRecovery(
  file: Uint8Array,
  recoveryKey: Uint8Array,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Vault> {
  const signal = option(options, "signal");
  return withCopies({ file, recoveryKey }, ["file", "recoveryKey"], async (own) => {
    await breathe(signal);
    return unlessAborted(call(() => RawVault.recover(own.file, own.recoveryKey)), signal);
  });
}

/** What a `.keyward` file shows without its password; nothing of it is authentic yet. */
export function describeVault(file: Uint8Array): VaultDescription {
  const sealed = bytes(file, "file");
  return JSON.parse(call(() => RawVault.describe(sealed))) as VaultDescription;
}

/** As {@link Vault.importKey}. */
export function importKey(vault: Vault, key: Uint8Array, options: ImportKeyOptions = {}): readonly Account[] {
  return vault.importKey(key, options);
}

/** As {@link Vault.export}. */
export function exportVault(vault: Vault): Uint8Array {
  return vault.export();
}

function unlessAborted(raw: RawVault, signal: AbortSignal | undefined): Vault {
  try {
    throwIfAborted(signal);
  } catch (error) {
    call(() => raw.free());
    throw error;
  }
  return call(() => Vault.of(raw));
}
