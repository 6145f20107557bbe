// Whoever loads the module twice, in whatever order, has one instance: another one would not know the open vaults.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as keyward from "../dist/index.js";

const module = readFileSync(new URL("../dist/glue/keyward_bg.wasm", import.meta.url));
const code = (wanted) => (error) => error instanceof keyward.KeywardError && error.code === wanted;

test("no instance comes under open vaults while another is on its way", async () => {
  let arrive;
  const source = new Promise((resolve) => {
    arrive = resolve;
  });
  const loading = keyward.init(source);
  assert.throws(() => keyward.initSync(module), code("initialization"));
  assert.throws(() => keyward.version(), code("not-initialized"));
  arrive(new Uint8Array([1, 2, 3]));
  await assert.rejects(loading, code("initialization"));

  // Nor while the bytes of an answer arrive.
  const body = new ReadableStream({
    async start(stream) {
      await new Promise((resolve) => {
        arrive = resolve;
      });
      stream.enqueue(new Uint8Array(module));
      stream.close();
    },
  });
  const second = keyward.init(new Response(body, { headers: { "content-type": "application/wasm" } }));
  await new Promise((resolve) => setImmediate(resolve));
  assert.throws(() => keyward.initSync(module), code("initialization"));
  arrive();
  await second;

  const vault = await keyward.createVault(new TextEncoder().encode("a password of its own"), { kdf: "scrypt-16384" });
  keyward.initSync(module);
  await keyward.init(module);
  assert.equal(vault.isLocked, false);
  assert.deepEqual(vault.wallets(), []);
  vault.lock();
});
