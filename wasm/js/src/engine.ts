import loadGlue, { initSync as loadGlueSync } from "./glue/keyward.js";
import { KeywardError, fromCore } from "./errors.js";

/** What the WebAssembly module can be loaded from. */
export type ModuleSource =
  | URL
  | string
  | Request
  | Response
  | ArrayBuffer
  | Uint8Array
  | WebAssembly.Module
  | Promise<Response | ArrayBuffer | Uint8Array | WebAssembly.Module>;

/** What it can be loaded from without waiting. */
export type SyncModuleSource = ArrayBuffer | Uint8Array | WebAssembly.Module;

let state: "absent" | "ready" | "poisoned" = "absent";
let loading: Promise<void> | undefined;
/** The instance's memory, where the keys are. */
let memory: WebAssembly.Memory | undefined;

/**
 * Loads the WebAssembly module; without `source` from beside this file, by `fetch` or, in Node, from the disk. Any
 * further call waits for the first one and does nothing else; after a failure it tries again.
 */
export function init(source?: ModuleSource): Promise<void> {
  if (state === "ready") {
    return Promise.resolve();
  }
  if (state === "poisoned") {
    return Promise.reject(poisoned());
  }
  loading ??= load(source).catch((cause: unknown) => {
    loading = undefined;
    throw new KeywardError(
      "initialization",
      "the WebAssembly module could not be loaded; check its address, its type application/wasm and the page's policy",
      { cause },
    );
  });
  return loading;
}

async function load(source: ModuleSource | undefined): Promise<void> {
  const given = await (source ?? fromDisk());
  const loaded = await (given === undefined ? loadGlue() : loadGlue({ module_or_path: given as WebAssembly.Module | URL | Response }));
  memory = loaded.memory;
  state = "ready";
}

/**
 * As {@link init}, at once: for service workers, tests and bundlers that hand over bytes. Not while an `init()` is on
 * its way, which would put its own instance under vaults that were opened meanwhile: `initialization`.
 */
export function initSync(source: SyncModuleSource): void {
  if (state === "ready") {
    return;
  }
  if (state === "poisoned") {
    throw poisoned();
  }
  if (loading !== undefined) {
    throw new KeywardError("initialization", "an init() is on its way; await it instead of calling initSync()");
  }
  try {
    memory = loadGlueSync({ module: source as WebAssembly.Module }).memory;
  } catch (cause) {
    throw new KeywardError("initialization", "the bytes are not this package's WebAssembly module", { cause });
  }
  state = "ready";
}

/** Whether the module stopped at a fault. Its memory is wiped then. */
export function isPoisoned(): boolean {
  return state === "poisoned";
}

/**
 * Calls the lower half. What it throws comes out as a `KeywardError`; a trap poisons the instance, since nobody knows
 * what state it left behind, and so does a signature that failed its check. Nothing can lock it properly any more, so
 * all of its memory is wiped at once.
 */
export function call<T>(work: () => T): T {
  if (state === "poisoned") {
    throw poisoned();
  }
  if (state === "absent") {
    throw new KeywardError("not-initialized", "the WebAssembly module is not loaded; await init() first");
  }
  try {
    return work();
  } catch (error) {
    const known = fromCore(error);
    if (known !== undefined && known.code !== "internal") {
      throw known;
    }
    poison();
    throw known ?? new KeywardError("internal", "the module stopped at a fault of its own; reload the page", { cause: error });
  }
}

function poison(): void {
  state = "poisoned";
  if (memory !== undefined) {
    new Uint8Array(memory.buffer).fill(0);
  }
}

/** Lets the page draw, and an abort arrive, before work that takes long. */
export async function breathe(signal: AbortSignal | undefined): Promise<void> {
  throwIfAborted(signal);
  await new Promise((resolve) => setTimeout(resolve, 0));
  throwIfAborted(signal);
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new KeywardError("aborted", "the call was aborted", { cause: signal.reason });
  }
}

function poisoned(): KeywardError {
  return new KeywardError("poisoned", "the module stopped at a fault before and is not used again; reload the page");
}

/** Node's `fetch` does not read files, so its own way is taken there; bundlers see nothing of it. */
function fromDisk(): Uint8Array | undefined {
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => unknown; versions?: { node?: string } };
  };
  const here = new URL("./glue/keyward_bg.wasm", import.meta.url);
  if (process?.versions?.node === undefined || here.protocol !== "file:") {
    return undefined;
  }
  const fs = process.getBuiltinModule?.("node:fs") as { readFileSync(path: URL): Uint8Array } | undefined;
  if (fs === undefined) {
    throw new Error("this Node has no process.getBuiltinModule; use 20.16 or later, or pass the bytes to init()");
  }
  return fs.readFileSync(here);
}
