import { show } from "./sign.js";

// Under Trusted Types a worker's address needs a policy; bundlers want this very form of `new Worker`.
globalThis.trustedTypes?.createPolicy("default", { createScriptURL: (url) => (new URL(url).origin === location.origin ? url : undefined) });
const worker = new Worker(new URL("./in-worker.js", import.meta.url), { type: "module" });

show(
  () =>
    new Promise((resolve, reject) => {
      worker.addEventListener("message", ({ data }) => resolve(data));
      worker.addEventListener("error", (event) => reject(new Error(`the worker failed: ${event.message}`)));
      worker.postMessage(document.baseURI);
    }),
);
