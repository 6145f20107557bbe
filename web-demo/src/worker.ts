/** Starts the worker. Its address is the only one that this page's Trusted Types policy lets through. */
import address from "./keys?worker&url";

/** As much of Trusted Types as is used; not every browser has them. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): unknown };
}

let policy: { createScriptURL(url: string): unknown } | undefined;

export function startKeys(): Worker {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  policy ??= trustedTypes?.createPolicy("keyward-worker", { createScriptURL: onlyTheWorker });
  const trusted = policy === undefined ? onlyTheWorker(address) : policy.createScriptURL(address);
  return new Worker(trusted as string, { type: "module", name: "keyward-keys" });
}

function onlyTheWorker(url: string): string {
  if (url !== address) {
    throw new TypeError("this page starts no other worker");
  }
  return url;
}
