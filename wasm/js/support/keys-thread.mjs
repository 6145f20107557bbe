// The worker's file of tests in threads of Node: serves, and does what a test wants of a bad worker.
import { parentPort, workerData } from "node:worker_threads";

import { serve } from "../dist/worker.js";

if (workerData?.trap !== undefined) {
  // The module as it is, but for one function that stops at a fault.
  const { Instance } = WebAssembly;
  WebAssembly.Instance = function (module, imports) {
    const { exports } = new Instance(module, imports);
    const trap = () => {
      throw new WebAssembly.RuntimeError("unreachable");
    };
    return { exports: { ...exports, [workerData.trap]: trap } };
  };
  WebAssembly.instantiate = async (source, imports) => {
    const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
    const instance = new WebAssembly.Instance(module, imports);
    return source instanceof WebAssembly.Module ? instance : { module, instance };
  };
}

if (workerData?.silent !== true) {
  serve({ scope: parentPort });
}

parentPort.on("message", (message) => {
  if (message === "crash") {
    setImmediate(() => {
      throw new Error("a fault of the worker's own script");
    });
  }
});
