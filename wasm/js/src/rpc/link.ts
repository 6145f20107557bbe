import { KeywardError } from "../errors.js";
import { MAX_CALLS, PROTOCOL, asReply, fromSent, marked, type LockReason, type Port, type Reply, type Value } from "./protocol.js";

interface Pending {
  resolve(value: Value): void;
  reject(error: KeywardError): void;
}

/** A worker as the caller supplies it: a `Worker`, or anything that speaks like one. */
export interface WorkerLike extends Port {
  terminate?(): void;
  close?(): void;
}

/** The one link that each worker has in this page, or had. */
const links = new WeakMap<WorkerLike, Link>();

/** The page's end: calls on their way, and what is said when the worker locks or dies. */
export class Link {
  readonly #worker: WorkerLike;
  readonly #pending = new Map<number, Pending>();
  readonly #locks = new Map<number, (why: LockReason) => void>();
  #next = 1;
  #ended: KeywardError | undefined;
  #closing: KeywardError | undefined;

  /** @throws KeywardError of the code `busy` if the worker has a client (two would end each other's), `terminated` if it had. */
  constructor(worker: WorkerLike) {
    const other = links.get(worker);
    if (other !== undefined) {
      throw other.hasEnded
        ? new KeywardError("terminated", "this worker was ended; start a new one")
        : new KeywardError("busy", "this worker has a client in this page already; use that one, or start another worker");
    }
    links.set(worker, this);
    this.#worker = worker;
    worker.addEventListener("message", this.#onMessage);
    worker.addEventListener("messageerror", this.#onFault);
    worker.addEventListener("error", this.#onFault);
    worker.start?.();
  }

  /**
   * Calls a method of the worker. Arrays in `args` are copied, and the copies handed over whole, so that this side
   * keeps none. `late` gets an answer that comes after the caller gave up.
   */
  call<T>(
    target: number,
    method: string,
    args: readonly Value[],
    reading: (value: Value) => T,
    options: { readonly signal?: AbortSignal | undefined; readonly late?: (value: T) => void } = {},
  ): Promise<T> {
    const { signal, late } = options;
    const over = this.#ended ?? this.#closing;
    if (over !== undefined) {
      return Promise.reject(over);
    }
    if (signal?.aborted === true) {
      return Promise.reject(aborted(signal));
    }
    if (this.#pending.size >= MAX_CALLS) {
      return Promise.reject(new KeywardError("busy", "too many calls are on their way to the worker; await some first"));
    }
    const id = this.#next;
    this.#next += 1;
    return new Promise<T>((resolve, reject) => {
      let given = false;
      const onAbort = (): void => {
        given = true;
        reject(aborted(signal));
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      const settle = (work: () => void): void => {
        signal?.removeEventListener("abort", onAbort);
        work();
      };
      this.#pending.set(id, {
        resolve: (value) =>
          settle(() => {
            const answer = this.#read(value, reading);
            if (answer === undefined) {
              reject(strange());
            } else {
              (given ? (late ?? ignore) : resolve)(answer.value);
            }
          }),
        reject: (error) => settle(() => reject(error)),
      });
      this.#post(id, target, method, args);
    });
  }

  /** Calls `listener` once, when the vault with this handle is locked or the worker ends. */
  onLock(vault: number, listener: (why: LockReason) => void): void {
    this.#locks.set(vault, listener);
  }

  forget(vault: number): void {
    this.#locks.delete(vault);
  }

  /** Has the worker wipe what it holds, takes no more calls meanwhile, and ends it, at the latest after `patienceMs`. */
  async windUp(error: KeywardError, patienceMs: number): Promise<void> {
    if (this.#ended !== undefined || this.#closing !== undefined) {
      return;
    }
    const wiped = this.call(0, "end", [], ignore).catch(ignore);
    this.#closing = error;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patienceMs);
    });
    await Promise.race([wiped, patience]);
    clearTimeout(timer);
    this.end(error);
  }

  /** Ends it: whatever is pending, and every later call, is rejected with this error. */
  end(error: KeywardError): void {
    if (this.#ended !== undefined) {
      return;
    }
    this.#ended = error;
    this.#worker.removeEventListener("message", this.#onMessage);
    this.#worker.removeEventListener("messageerror", this.#onFault);
    this.#worker.removeEventListener("error", this.#onFault);
    (this.#worker.terminate ?? this.#worker.close)?.call(this.#worker);
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    pending.forEach((call) => call.reject(error));
    const locks = [...this.#locks.values()];
    this.#locks.clear();
    locks.forEach((listener) => listener("terminated"));
  }

  /** Whether it takes no more calls. */
  get hasEnded(): boolean {
    return this.#ended !== undefined || this.#closing !== undefined;
  }

  #post(id: number, target: number, method: string, args: readonly Value[]): void {
    const transfer: ArrayBuffer[] = [];
    try {
      const copied = copy(args, transfer);
      this.#worker.postMessage({ keyward: PROTOCOL, id, target, method, args: copied }, transfer);
    } catch {
      // What was copied and not handed over may be secret.
      transfer.forEach((buffer) => new Uint8Array(buffer).fill(0));
      // What cannot be cloned is the caller's mistake; the cause could quote an argument, so it stays here.
      this.#take(id)?.reject(new KeywardError("argument", "an argument cannot be handed to the worker; see the method's types"));
    }
  }

  /** An answer that is not as agreed ends the worker: nothing else that it says can be believed either. */
  #read<T>(value: Value, reading: (value: Value) => T): { readonly value: T } | undefined {
    try {
      return { value: reading(value) };
    } catch {
      this.end(strange());
      return undefined;
    }
  }

  #take(id: number): Pending | undefined {
    const call = this.#pending.get(id);
    this.#pending.delete(id);
    return call;
  }

  readonly #onMessage = (event: Event): void => {
    const data = marked((event as MessageEvent<unknown>).data);
    if (data === undefined) {
      return;
    }
    const reply = asReply(data);
    if (reply === undefined) {
      this.end(new KeywardError("worker", "the worker speaks another version of this package; load both from the same one"));
      return;
    }
    this.#handle(reply);
  };

  #handle(reply: Reply): void {
    if ("locked" in reply) {
      const listener = this.#locks.get(reply.locked);
      this.#locks.delete(reply.locked);
      listener?.(reply.why);
      return;
    }
    const call = this.#take(reply.id);
    if ("value" in reply) {
      call?.resolve(reply.value);
      return;
    }
    const error = fromSent(reply.error);
    call?.reject(error);
    if (error.code === "internal" || error.code === "poisoned") {
      // Nobody knows what state it is in, and it may hold keys: they go with it.
      this.end(new KeywardError("worker", "the worker stopped at a fault of its own and was ended; start a new one"));
    }
  }

  readonly #onFault = (): void => {
    this.end(
      new KeywardError(
        "worker",
        "the worker could not be loaded or stopped; check its address and the page's policy (worker-src), and start a new one",
      ),
    );
  };
}

/** @internal */
export function aborted(signal: AbortSignal | undefined): KeywardError {
  return new KeywardError("aborted", "the call was aborted", { cause: signal?.reason });
}

function strange(): KeywardError {
  return new KeywardError("worker", "the worker answered what this version does not know; load both from the same one");
}

function ignore(): void {
  // An answer that nobody waits for and that holds nothing.
}

/** A deep copy in which every array of bytes is a copy of its own, listed in `transfer`. */
function copy(value: Value, transfer: ArrayBuffer[]): Value;
function copy(value: readonly Value[], transfer: ArrayBuffer[]): readonly Value[];
function copy(value: Value, transfer: ArrayBuffer[]): Value {
  if (value instanceof WebAssembly.Module || typeof value !== "object" || value === null) {
    return value;
  }
  if (ArrayBuffer.isView(value)) {
    const own = new Uint8Array(value as Uint8Array);
    transfer.push(own.buffer);
    return own;
  }
  if (Array.isArray(value)) {
    return (value as readonly Value[]).map((item) => copy(item, transfer));
  }
  const fields = Object.entries(value as { readonly [name: string]: Value });
  return Object.fromEntries(fields.map(([name, field]) => [name, copy(field, transfer)]));
}
