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
  if (state !== "absent") {
    return;
  }
  await (given === undefined ? loadGlue() : loadGlue({ module_or_path: given as WebAssembly.Module | URL | Response }));
  state = "ready";
}

/** As {@link init}, at once: for service workers, tests and bundlers that hand over bytes. */
export function initSync(source: SyncModuleSource): void {
  if (state === "ready") {
    return;
  }
  if (state === "poisoned") {
    throw poisoned();
  }
  try {
    loadGlueSync({ module: source as WebAssembly.Module });
  } catch (cause) {
    throw new KeywardError("initialization", "the bytes are not this package's WebAssembly module", { cause });
  }
  state = "ready";
}

/**
 * Calls the lower half. What it throws comes out as a `KeywardError`; a trap poisons the instance, since nobody knows
 * what state it left behind.
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
    if (known !== undefined) {
      throw known;
    }
    state = "poisoned";
    throw new KeywardError("internal", "the module stopped at a fault of its own; reload the page", { cause: error });
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
