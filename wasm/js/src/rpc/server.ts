import { KeywardError } from "../errors.js";
import type { EvmSigner } from "../evm.js";
import { init, type ModuleSource } from "../engine.js";
import type { SolanaSigner } from "../solana.js";
import {
  createVault,
  describeVault,
  generateMnemonic,
  openVault,
  openVaultWithRecovery,
  validateMnemonic,
  version,
  type Vault,
} from "../vault.js";
import { IdleWatch, type Clock } from "./idle.js";
import { EVM_METHODS, SOLANA_METHODS, VAULT_METHODS, type Methods } from "./objects.js";
import {
  MAX_AUTO_LOCK_MS,
  MAX_CALLS,
  MAX_HANDLES,
  MIN_AUTO_LOCK_MS,
  PROTOCOL,
  asRequest,
  marked,
  toSent,
  type Port,
  type Request,
  type Value,
} from "./protocol.js";
import { read } from "./read.js";

interface OpenVault {
  readonly kind: "vault";
  readonly vault: Vault;
  readonly idle: IdleWatch;
  readonly signers: Set<number>;
}

type Signer =
  | { readonly kind: "solana"; readonly vault: number; readonly signer: SolanaSigner }
  | { readonly kind: "evm"; readonly vault: number; readonly signer: EvmSigner };

/** The worker's end: holds vaults and signers, and answers for them. */
export class Server {
  readonly #port: Port;
  readonly #clock: Clock;
  readonly #handles = new Map<number, OpenVault | Signer>();
  /** A number is used once, so that a stale handle never means another vault. */
  #next = 1;
  #working = 0;
  #autoLockMs: number | undefined;
  #ended = false;

  constructor(port: Port, clock: Clock) {
    this.#port = port;
    this.#clock = clock;
    port.addEventListener("message", (event) => this.#onMessage((event as MessageEvent<unknown>).data));
    port.start?.();
  }

  #onMessage(data: unknown): void {
    const ours = marked(data);
    if (ours === undefined) {
      return;
    }
    const request = asRequest(ours);
    if (request === undefined) {
      const { id, args } = ours;
      wipe(args);
      const message = "page and worker are of different versions of this package; load both from the same one";
      this.#fail(typeof id === "number" ? id : 0, new KeywardError("worker", message));
      return;
    }
    void this.#serve(request);
  }

  async #serve(request: Request): Promise<void> {
    if (this.#working >= MAX_CALLS) {
      wipe(request.args);
      this.#fail(request.id, new KeywardError("busy", "too many calls are on their way to the worker; await some first"));
      return;
    }
    this.#working += 1;
    try {
      const value = await this.#answer(request);
      const transfer = value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : [];
      this.#port.postMessage({ keyward: PROTOCOL, id: request.id, value }, transfer);
    } catch (error) {
      this.#fail(request.id, error);
    } finally {
      this.#working -= 1;
      // They are copies that the page handed over, and some are secrets.
      wipe(request.args);
    }
  }

  #fail(id: number, error: unknown): void {
    this.#port.postMessage({ keyward: PROTOCOL, id, error: toSent(error) }, []);
  }

  #answer(request: Request): Value | Promise<Value> {
    const { target, method, args } = request;
    if (target === 0) {
      return this.#root(method, args);
    }
    const held = this.#handles.get(target);
    if (held === undefined) {
      throw new KeywardError("freed", "the vault or signer was freed; open it again");
    }
    if (method === "free") {
      this.#free(target);
      return undefined;
    }
    const idle = this.#vault(held.kind === "vault" ? target : held.vault)?.idle;
    idle?.check();
    switch (held.kind) {
      case "solana":
        return counted(method, idle, () => find(SOLANA_METHODS, method)(held.signer, args));
      case "evm":
        return counted(method, idle, () => find(EVM_METHODS, method)(held.signer, args));
      case "vault":
        if (OF_PERSON.has(method)) {
          idle?.use();
        }
        return this.#ofVault(target, held, method, args);
    }
  }

  #root(method: string, args: readonly Value[]): Value | Promise<Value> {
    if (method === "end") {
      this.#ended = true;
      [...this.#handles.keys()].forEach((handle) => this.#free(handle));
      return undefined;
    }
    if (this.#ended) {
      throw terminated();
    }
    if (method === "hello") {
      return this.#hello(args);
    }
    if (this.#autoLockMs === undefined) {
      throw new KeywardError("worker", "the worker has no client yet; connect first");
    }
    const [first, second, third] = args;
    switch (method) {
      case "version":
        return version();
      case "generateMnemonic":
        return generateMnemonic(read.number(first));
      case "validateMnemonic":
        return validateMnemonic(read.bytes(first)) as unknown as Value;
      case "describeVault":
        return describeVault(read.bytes(first)) as unknown as Value;
      case "createVault":
        return this.#opened(() => createVault(read.bytes(first), creation(second)));
      case "openVault":
        return this.#opened(() => {
          const options = third === undefined ? {} : { secondFactor: read.bytes(third) };
          return openVault(read.bytes(first), read.bytes(second), options);
        });
      case "openVaultWithRecovery":
        return this.#opened(() => openVaultWithRecovery(read.bytes(first), read.bytes(second)));
      default:
        throw unknown(method);
    }
  }

  async #hello([autoLockMs, module]: readonly Value[]): Promise<Value> {
    const limit = read.number(autoLockMs);
    if (!(limit >= MIN_AUTO_LOCK_MS && limit <= MAX_AUTO_LOCK_MS)) {
      throw new KeywardError("number", "autoLockMs must be from 1000 (a second) to 86400000 (a day)");
    }
    if (this.#autoLockMs !== undefined) {
      throw new KeywardError("worker", "this worker serves another client already; start one of its own");
    }
    this.#autoLockMs = limit;
    try {
      await init(module as ModuleSource | undefined);
    } catch (error) {
      this.#autoLockMs = undefined;
      throw error;
    }
    return version();
  }

  async #opened(open: () => Promise<Vault>): Promise<Value> {
    this.#checkRoom();
    const vault = await open();
    if (this.#ended) {
      vault.free();
      throw terminated();
    }
    const handle = this.#next;
    this.#next += 1;
    const idle = new IdleWatch(this.#clock, this.#autoLockMs ?? MIN_AUTO_LOCK_MS, () => this.#lock(handle, "idle"));
    this.#handles.set(handle, { kind: "vault", vault, idle, signers: new Set() });
    return { handle, id: vault.id, authority: vault.authority };
  }

  #ofVault(handle: number, open: OpenVault, method: string, args: readonly Value[]): Value | Promise<Value> {
    switch (method) {
      case "lock":
        this.#lock(handle, "asked");
        return undefined;
      case "solana": {
        this.#checkRoom();
        const signer = open.vault.solana(...opening(args));
        const { address, publicKey, path } = signer;
        return { handle: this.#keep(open, { kind: "solana", vault: handle, signer }), address, publicKey, path };
      }
      case "evm": {
        this.#checkRoom();
        const signer = open.vault.evm(...opening(args));
        const { address, publicKey, path } = signer;
        return { handle: this.#keep(open, { kind: "evm", vault: handle, signer }), address, publicKey, path };
      }
      case "keepAlive":
        // The wallet list is not needed, but that it is still open is.
        open.vault.wallets();
        return undefined;
      default:
        return find(VAULT_METHODS, method)(open.vault, args);
    }
  }

  #keep(open: OpenVault, signer: Signer): number {
    const handle = this.#next;
    this.#next += 1;
    this.#handles.set(handle, signer);
    open.signers.add(handle);
    return handle;
  }

  #lock(handle: number, why: "asked" | "idle"): void {
    const open = this.#vault(handle);
    if (open === undefined || open.vault.isLocked) {
      return;
    }
    open.idle.stop();
    open.vault.lock();
    this.#port.postMessage({ keyward: PROTOCOL, locked: handle, why }, []);
  }

  #free(handle: number): void {
    const held = this.#handles.get(handle);
    this.#handles.delete(handle);
    if (held?.kind === "vault") {
      held.idle.stop();
      held.signers.forEach((signer) => this.#free(signer));
      held.vault.free();
    } else if (held !== undefined) {
      this.#vault(held.vault)?.signers.delete(handle);
      held.signer.free();
    }
  }

  #vault(handle: number): OpenVault | undefined {
    const held = this.#handles.get(handle);
    return held?.kind === "vault" ? held : undefined;
  }

  #checkRoom(): void {
    if (this.#handles.size >= MAX_HANDLES) {
      throw new KeywardError("busy", "the worker holds too many vaults and signers; free some first");
    }
  }
}

/** What may be listed before anybody is asked, as a page does that offers its accounts to a dapp. */
const LISTED: readonly string[] = ["wallets", "accounts"];
/** What only the page calls, for its person. */
const OF_PERSON: ReadonlySet<string> = new Set(
  [...Object.keys(VAULT_METHODS), "solana", "evm"].filter((method) => !LISTED.includes(method)),
);

/**
 * Of a signer's calls only a signature that was made counts as use: a dapp can have things read and refused as often
 * as it likes with nobody there, and must not keep the vault open that way.
 */
async function counted(method: string, idle: IdleWatch | undefined, work: () => Value | Promise<Value>): Promise<Value> {
  const value = await work();
  if (method.startsWith("sign")) {
    idle?.use();
  }
  return value;
}

function opening([which, password]: readonly Value[]): [string, { readonly password?: Uint8Array }] {
  return [read.string(which), password === undefined ? {} : { password: read.bytes(password) }];
}

function creation(value: unknown): Parameters<typeof createVault>[1] {
  const { phrase, passphrase, secondFactor, kdf } = read.optionalRecord(value) ?? {};
  return {
    ...(phrase === undefined ? {} : { phrase: read.bytes(phrase) }),
    ...(passphrase === undefined ? {} : { passphrase: read.bytes(passphrase) }),
    ...(secondFactor === undefined ? {} : { secondFactor: read.bytes(secondFactor) }),
    ...(kdf === undefined ? {} : { kdf: read.string(kdf) }),
  };
}

function find<Target>(methods: Methods<Target>, name: string): Methods<Target>[string] {
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (method === undefined) {
    throw unknown(name);
  }
  return method;
}

function terminated(): KeywardError {
  return new KeywardError("terminated", "the worker was ended; connect to a new one");
}

function unknown(method: string): KeywardError {
  const named = JSON.stringify(method.slice(0, 32));
  return new KeywardError("worker", `the worker has no method ${named}; load page and worker from the same version`);
}

/** How deep arrays of bytes lie among the arguments of any method: the list, a record of options or a batch, the array. */
const MAX_DEPTH = 3;

/** Overwrites every array of bytes in the arguments. Messages may be as deep as they like, or hold themselves. */
function wipe(value: unknown, depth = 0): void {
  if (ArrayBuffer.isView(value)) {
    new Uint8Array(value.buffer, value.byteOffset, value.byteLength).fill(0);
  } else if (depth < MAX_DEPTH && typeof value === "object" && value !== null && !(value instanceof WebAssembly.Module)) {
    Object.values(value).forEach((item) => wipe(item, depth + 1));
  }
}
