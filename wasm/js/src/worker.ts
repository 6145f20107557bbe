/**
 * The half that holds keys: call {@link serve} in a dedicated worker of your own, at once when it starts, and
 * `connect` of `keyward/client` in the page. Nothing of the page's scripts reaches the memory of a worker.
 */
import { KeywardError } from "./errors.js";
import { platformClock, type Clock } from "./rpc/idle.js";
import { MAX_AUTO_LOCK_MS, MIN_AUTO_LOCK_MS, type Port } from "./rpc/protocol.js";
import { Server } from "./rpc/server.js";

export { MAX_AUTO_LOCK_MS, MIN_AUTO_LOCK_MS };

/** What a worker speaks through: its global scope, or one end of a `MessageChannel`. */
export type WorkerScope = Port;

export interface ServeOptions {
  /** The worker's own global scope unless given. */
  readonly scope?: WorkerScope;
  /** Where time comes from; for tests. */
  readonly clock?: Clock;
}

const serving = new WeakSet<WorkerScope>();

/**
 * Answers one client, for as long as the worker lives. Twice on the same scope does no harm.
 *
 * @throws KeywardError of the code `argument` where no scope was given and this is no dedicated worker: a window would
 * hear every frame of every site.
 */
export function serve(options: ServeOptions = {}): void {
  const scope = options.scope ?? ownScope();
  if (!serving.has(scope)) {
    serving.add(scope);
    new Server(scope, options.clock ?? platformClock);
  }
}

function ownScope(): WorkerScope {
  const { DedicatedWorkerGlobalScope: Dedicated } = globalThis as { DedicatedWorkerGlobalScope?: new () => object };
  if (Dedicated === undefined || !(globalThis instanceof Dedicated)) {
    const message = "serve() without a scope is for dedicated workers; call it in the worker's own file, or pass a port";
    throw new KeywardError("argument", message);
  }
  return globalThis as unknown as WorkerScope;
}
