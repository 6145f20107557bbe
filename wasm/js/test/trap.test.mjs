// A trap becomes a KeywardError and ends the instance.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as keyward from "../dist/index.js";

test("a trap is an internal error, and nothing is called after it", async () => {
  const { Instance } = WebAssembly;
  let calls = 0;
  WebAssembly.Instance = function (module, imports) {
    const { exports } = new Instance(module, imports);
    const version = () => {
      calls += 1;
      throw new WebAssembly.RuntimeError("unreachable");
    };
    return { exports: { ...exports, version } };
  };
  keyward.initSync(readFileSync(new URL("../dist/glue/keyward_bg.wasm", import.meta.url)));
  WebAssembly.Instance = Instance;

  const phrase = keyward.generateMnemonic(12);
  assert.throws(
    () => keyward.version(),
    (error) => error instanceof keyward.KeywardError && error.code === "internal" && error.cause.message === "unreachable",
  );
  const poisoned = (error) => error instanceof keyward.KeywardError && error.code === "poisoned";
  assert.throws(() => keyward.version(), poisoned);
  assert.throws(() => keyward.validateMnemonic(phrase), poisoned);
  await assert.rejects(keyward.init(), poisoned);
  await assert.rejects(keyward.createVault(new Uint8Array(20)), poisoned);
  assert.equal(calls, 1);
});
