/**
 * The vault that is open, if one is: a handle on what the worker holds, and the encrypted file that it was opened
 * from or last written to. No key and no password is ever here.
 */
import { connect, type Client, type RemoteVault } from "keyward/client";
import { ProblemError } from "./problems";
import { forget, keep, type SealedVault } from "./store";
import { startKeys } from "./worker";

export type LockReason = "asked" | "idle" | "terminated";

/** Minutes without use after which a vault locks itself, as offered. */
export const IDLE_MINUTES = [1, 5, 15, 30] as const;

/** After these a worker answers nothing any more. */
const DEAD: ReadonlySet<unknown> = new Set(["worker", "terminated", "initialization", "poisoned", "internal"]);

/** A worker that was started. */
interface Started {
  readonly promise: Promise<Client>;
  /** After so many without use it locks what it holds. */
  readonly minutes: number;
}

export class Session {
  readonly #locked: (why: LockReason) => void;
  #client: Started | undefined;
  #vault: RemoteVault | undefined;
  #unlisten: () => void = () => undefined;
  #usedAt = 0;
  /** What this page believes to be kept under the vault's id. */
  #stored: Uint8Array | undefined;
  /** The encrypted file of the vault that is open or was last. */
  sealed: SealedVault | undefined;
  /** Whether it is kept in this browser. */
  kept = false;
  /** Whether the last state of the vault is in no file and not kept: what would be lost with this page. */
  unsaved = false;
  idleMinutes: number = 5;

  /** `locked` is told whenever an open vault was locked, whoever locked it. */
  constructor(locked: (why: LockReason) => void) {
    this.#locked = locked;
  }

  /** Asks the worker, which is started if there is none; one that has died is given up, so that the next call starts anew. */
  async ask<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const asked = this.#start();
    try {
      return await work(await asked.promise);
    } catch (error) {
      // Another may have taken its place meanwhile, with a vault open in it.
      if (DEAD.has((error as { code?: unknown }).code) && this.#client === asked) {
        this.end();
      }
      throw error;
    }
  }

  /** As {@link Session.ask}, for what opens a vault: with a worker that waits as long as was chosen meanwhile. */
  open<T>(work: (client: Client) => Promise<T>): Promise<T> {
    if (this.#client !== undefined && this.#client.minutes !== this.idleMinutes && !this.isOpen) {
      this.end();
    }
    return this.ask(work);
  }

  #start(): Started {
    const minutes = this.idleMinutes;
    this.#client ??= { promise: connect(startKeys(), { autoLockMs: minutes * 60_000 }), minutes };
    return this.#client;
  }

  get isOpen(): boolean {
    return this.#vault !== undefined;
  }

  /** The open vault, or a readable error. */
  get vault(): RemoteVault {
    if (this.#vault === undefined) {
      throw new ProblemError("locked", undefined, "The vault is locked.", "Unlock it, then try again.");
    }
    return this.#vault;
  }

  /** Takes a file to be opened next. */
  choose(sealed: SealedVault, kept: boolean): void {
    this.sealed = sealed;
    this.kept = kept;
    this.unsaved = false;
  }

  /** Takes a vault that was just made (`new`) or opened from a file or from what is kept here. */
  adopt(vault: RemoteVault, sealed: SealedVault, from: "new" | "file" | "kept"): void {
    this.#release();
    this.#vault = vault;
    // Opened again after a lock, it is no more saved than before.
    this.unsaved = from === "new" || (this.unsaved && this.sealed === sealed);
    this.sealed = sealed;
    const kept = from === "kept";
    this.kept = kept;
    if (!this.unsaved) {
      this.#stored = kept ? sealed.file : undefined;
    } else if (from === "new") {
      this.#stored = undefined;
    }
    this.#unlisten = vault.onLock((why) => this.#onLock(vault, why));
    this.touch();
  }

  /** After a change: the file anew, kept if it was kept before. Until that is done nothing else has the change. */
  async save(): Promise<void> {
    this.unsaved = true;
    await this.export();
    if (this.kept) {
      await this.keep();
    }
  }

  /** The encrypted file as the vault is now. */
  async export(): Promise<SealedVault | undefined> {
    const { sealed } = this;
    if (sealed !== undefined && this.#vault !== undefined) {
      this.sealed = { ...sealed, file: await this.#vault.export() };
    }
    return this.sealed;
  }

  /** Keeps the file in this browser; an error of the code `conflict` if another state of the vault is kept there. */
  async keep(over: "own" | "anything" = "own"): Promise<void> {
    const { sealed } = this;
    if (sealed === undefined) {
      return;
    }
    const agreed = await keepOrExplain(sealed, over === "own" ? this.#stored : over);
    this.kept = agreed;
    if (!agreed) {
      throw new ProblemError(
        "conflict",
        undefined,
        "Another state of this vault is kept here, from another tab or file; it was left as it is.",
        "Save this vault to a file, so that nothing of it is lost.",
      );
    }
    this.#stored = sealed.file;
    this.saved(sealed);
  }

  /** A state is kept, or was handed to the browser as a file. */
  saved(sealed: SealedVault): void {
    this.unsaved &&= this.sealed !== sealed;
  }

  /** Deletes what is kept, if it is what this page knows; otherwise it is left and gives `false`. */
  async forget(over: "own" | "anything"): Promise<boolean> {
    const { sealed } = this;
    if (sealed === undefined || !(await forget(sealed.id, over === "own" ? this.#stored : over))) {
      return false;
    }
    this.sealed = undefined;
    this.kept = false;
    this.unsaved = false;
    return true;
  }

  async lock(): Promise<void> {
    const vault = this.#vault;
    if (vault === undefined) {
      return;
    }
    // Whatever the worker answers, this page shows no open vault from here on.
    this.#onLock(vault, "asked");
    try {
      await vault.lock();
      await vault.free();
    } catch {
      this.end();
    }
  }

  /** Ends the worker and all that it holds, at once. */
  end(): void {
    const client = this.#client;
    this.#client = undefined;
    if (this.#vault !== undefined) {
      this.#onLock(this.#vault, "terminated");
    }
    void client?.promise.then(
      (ended) => ended.terminate(),
      () => undefined,
    );
  }

  /** Counts as use; the worker is told by the caller, and not for every key. */
  touch(): void {
    this.#usedAt = Date.now();
  }

  /** Milliseconds until the vault locks itself; below 0 it is overdue. */
  get remainingMs(): number {
    return this.#usedAt + (this.#client?.minutes ?? this.idleMinutes) * 60_000 - Date.now();
  }

  #onLock(vault: RemoteVault, why: LockReason): void {
    if (this.#vault !== vault) {
      return;
    }
    this.#release();
    this.#locked(why);
  }

  #release(): void {
    this.#unlisten();
    this.#unlisten = () => undefined;
    this.#vault = undefined;
  }
}

async function keepOrExplain(sealed: SealedVault, expected: Uint8Array | undefined | "anything"): Promise<boolean> {
  try {
    return await keep(sealed, expected);
  } catch {
    const remedy = "Save it to a file instead, and leave private browsing or free some space.";
    throw new ProblemError("storage", undefined, "This browser did not keep the vault.", remedy);
  }
}
