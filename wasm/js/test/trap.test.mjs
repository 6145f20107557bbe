// A trap becomes a KeywardError, ends the instance and leaves no key in its memory.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as keyward from "../dist/index.js";

const utf8 = (text) => new TextEncoder().encode(text);
const phrase = "test test test test test test test test test test test junk";
/** The key of the first EVM account of that phrase, and its digits from the low end. */
const key = Buffer.from("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", "hex");
const sides = [key, Buffer.from(key).reverse()];

test("a trap is an internal error, wipes the memory, and nothing is called after it", async () => {
  const { Instance } = WebAssembly;
  let calls = 0;
  let memory;
  WebAssembly.Instance = function (module, imports) {
    const { exports } = new Instance(module, imports);
    memory = exports.memory;
    const version = () => {
      calls += 1;
      throw new WebAssembly.RuntimeError("unreachable");
    };
    return { exports: { ...exports, version } };
  };
  keyward.initSync(readFileSync(new URL("../dist/glue/keyward_bg.wasm", import.meta.url)));
  WebAssembly.Instance = Instance;

  const vault = await keyward.createVault(utf8("a password of its own"), { phrase: utf8(phrase), kdf: "scrypt-16384" });
  const signers = [vault.solana(), vault.evm()];
  assert.ok(sides.some((side) => Buffer.from(memory.buffer).includes(side)), "the key is not found where it must be");

  // What something put on a prototype makes no fault a known error.
  Object.prototype.code = "refused";
  try {
    assert.throws(
      () => keyward.version(),
      (error) => error instanceof keyward.KeywardError && error.code === "internal" && error.cause.message === "unreachable",
    );
  } finally {
    delete Object.prototype.code;
  }
  assert.ok(new Uint8Array(memory.buffer).every((byte) => byte === 0));

  const poisoned = (error) => error instanceof keyward.KeywardError && error.code === "poisoned";
  assert.throws(() => keyward.version(), poisoned);
  assert.throws(() => keyward.validateMnemonic(utf8(phrase)), poisoned);
  assert.throws(() => signers[0].signMessage(utf8("hello")), poisoned);
  assert.throws(() => vault.wallets(), poisoned);
  await assert.rejects(keyward.init(), poisoned);
  await assert.rejects(keyward.createVault(new Uint8Array(20)), poisoned);
  assert.equal(calls, 1);

  assert.equal(vault.isLocked, true);
  for (const own of [vault, ...signers]) {
    own.free();
    own.free();
  }
  vault.lock();
  assert.equal(vault.isLocked, true);
});
