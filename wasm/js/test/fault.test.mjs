// A signature that fails its check ends the instance as a trap does: the next one may be wrong in another way.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as keyward from "../dist/index.js";

const utf8 = (text) => new TextEncoder().encode(text);
const code = (wanted) => (error) => error instanceof keyward.KeywardError && error.code === wanted;

test("after a fault in signing nothing is signed again", async () => {
  const { Instance } = WebAssembly;
  let memory;
  let faults = 0;
  WebAssembly.Instance = function (module, imports) {
    const { exports } = new Instance(module, imports);
    memory = exports.memory;
    const failing = () => {
      faults += 1;
      throw Object.assign(new Error("the signature did not pass its check"), { code: "internal" });
    };
    return { exports: { ...exports, rawsolanasigner_signMessage: failing } };
  };
  keyward.initSync(readFileSync(new URL("../dist/glue/keyward_bg.wasm", import.meta.url)));
  WebAssembly.Instance = Instance;

  const phrase = utf8("test test test test test test test test test test test junk");
  const vault = await keyward.createVault(utf8("a password of its own"), { phrase, kdf: "scrypt-16384" });
  const [solana, evm] = [vault.solana(), vault.evm()];
  assert.throws(() => solana.signMessage(utf8("hello")), code("internal"));
  assert.throws(() => solana.signMessage(utf8("hello")), code("poisoned"));
  await assert.rejects(evm.signMessage("hello"), code("poisoned"));
  assert.equal(faults, 1);
  assert.ok(new Uint8Array(memory.buffer).every((byte) => byte === 0));
  assert.equal(vault.isLocked, true);
  vault.free();
});
