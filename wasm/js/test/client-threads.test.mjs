// A worker that is a thread of its own: what it does when it cannot start, dies, traps, is silent or is ended.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Worker as Thread } from "node:worker_threads";

import { KDF, code, expected, fixture, hex, password, unhex, utf8, within } from "../support/client.mjs";
import { connect } from "../dist/client.js";

const KEYS = new URL("../support/keys-thread.mjs", import.meta.url);
const threads = new Set();

afterEach(async () => {
  await Promise.all([...threads].map((thread) => thread.terminate()));
  threads.clear();
});

/** A thread of Node in the shape of a browser's `Worker`. */
class ThreadWorker extends EventTarget {
  #thread;
  gone;
  exited = false;

  constructor(url, workerData) {
    super();
    this.#thread = new Thread(url, { workerData, stderr: true });
    threads.add(this.#thread);
    this.#thread.on("message", (data) => this.dispatchEvent(new MessageEvent("message", { data })));
    this.#thread.on("messageerror", () => this.dispatchEvent(new Event("messageerror")));
    this.#thread.on("error", () => this.dispatchEvent(new Event("error")));
    this.gone = new Promise((resolve) =>
      this.#thread.once("exit", () => {
        this.exited = true;
        resolve();
      }),
    );
  }

  postMessage(message, transfer = []) {
    this.#thread.postMessage(message, transfer);
  }

  terminate() {
    void this.#thread.terminate();
  }
}

async function started(workerData) {
  const worker = new ThreadWorker(KEYS, workerData);
  return { worker, client: await within(connect(worker), "connect") };
}

test("keys in another thread sign as expected, and end with it", async () => {
  const { worker, client } = await started();
  const vault = await client.openVault(fixture("native.keyward"), password());
  const reasons = [];
  vault.onLock((why) => reasons.push(why));
  const signer = await vault.solana();
  for (const sample of expected.solana.transactions) {
    assert.equal(hex(await signer.signTransactionBytes(unhex(sample.unsigned))), sample.signed);
  }
  const evm = await vault.evm();
  assert.equal(await evm.signMessage(expected.text), expected.evm.signature);
  const pending = signer.signMessages([{ content: utf8("hello") }]);
  pending.catch(() => undefined);
  await client.terminate();
  await within(worker.gone, "the thread's end");
  assert.deepEqual(reasons, ["terminated"]);
  assert.equal(vault.isLocked, true);
  for (const call of [() => signer.signMessage(utf8("hello")), () => evm.signMessage("hello"), () => vault.wallets(), () => client.generateMnemonic()]) {
    await assert.rejects(call(), code("terminated"));
  }
  await client.terminate();
});

test("a worker that is not there is an error with its remedy", async () => {
  const worker = new ThreadWorker(new URL("no-such-file.mjs", KEYS));
  await assert.rejects(within(connect(worker), "the rejection"), (error) => {
    code("worker")(error);
    assert.match(error.message, /address/);
    return true;
  });
});

test("a worker that never answers is given up", async () => {
  const worker = new ThreadWorker(KEYS, { silent: true });
  await assert.rejects(within(connect(worker, { timeoutMs: 100 }), "the rejection"), (error) => {
    code("worker")(error);
    assert.match(error.message, /serve\(\)/);
    return true;
  });
});

test("connecting can be aborted, before and while it waits", async () => {
  const controller = new AbortController();
  const waiting = connect(new ThreadWorker(KEYS, { silent: true }), { signal: controller.signal });
  controller.abort();
  await assert.rejects(within(waiting, "the rejection"), code("aborted"));
  await assert.rejects(connect(new ThreadWorker(KEYS), { signal: controller.signal }), code("aborted"));
});

test("a worker that crashes rejects what is pending and all that comes later", async () => {
  const { worker, client } = await started();
  const vault = await client.openVault(fixture("native.keyward"), password());
  const signer = await vault.solana();
  const locked = new Promise((resolve) => vault.onLock(resolve));
  worker.postMessage("crash");
  assert.equal(await within(locked, "that the vault is gone"), "terminated");
  assert.equal(vault.isLocked, true);
  for (const call of [() => signer.signMessage(utf8("hello")), () => vault.wallets(), () => client.openVault(fixture("native.keyward"), password())]) {
    await assert.rejects(call(), code("worker"));
  }
  await within(worker.gone, "the thread's end");
});

test("a trap ends the worker with the keys that it holds", async () => {
  const { worker, client } = await started({ trap: "generateMnemonic" });
  const vault = await client.openVault(fixture("native.keyward"), password());
  const locked = new Promise((resolve) => vault.onLock(resolve));
  await assert.rejects(client.generateMnemonic(), code("internal"));
  assert.equal(await within(locked, "that the vault is gone"), "terminated");
  await within(worker.gone, "the thread's end");
  await assert.rejects(vault.wallets(), (error) => ["worker", "poisoned"].includes(error.code));
});

test("a module that is none is an error, and the worker is not left behind", async () => {
  const worker = new ThreadWorker(KEYS);
  await assert.rejects(within(connect(worker, { module: new Uint8Array([0, 1, 2]) }), "the rejection"), code("initialization"));
  await within(worker.gone, "the thread's end");
});

test("the module can be given as bytes, as a buffer and compiled", async () => {
  const { readFileSync } = await import("node:fs");
  const bytes = new Uint8Array(readFileSync(new URL("../dist/glue/keyward_bg.wasm", import.meta.url)));
  for (const module of [bytes, bytes.slice().buffer, await WebAssembly.compile(bytes)]) {
    const worker = new ThreadWorker(KEYS);
    const client = await within(connect(worker, { module }), "connect");
    assert.ok(await client.version());
    await client.terminate();
    await within(worker.gone, "the thread's end");
  }
  assert.ok(bytes.byteLength > 0, "the caller's bytes stay the caller's");
});

test("one worker has one client: a second one is refused and disturbs nobody", async () => {
  const { worker, client } = await started();
  const vault = await client.openVault(fixture("native.keyward"), password());
  await assert.rejects(within(connect(worker), "the refusal"), (error) => ["busy", "worker"].includes(error.code));
  const signer = await within(vault.solana(), "an answer to the first client");
  assert.equal(hex(await signer.signMessage(utf8(expected.text))), expected.solana.signature);
  assert.equal(worker.exited, false);
  await client.terminate();
});

test("two workers hold keys of their own", async () => {
  const [first, second] = [await started(), await started()];
  const vaults = await Promise.all([first, second].map(({ client }) => client.createVault(password(), { kdf: KDF })));
  await first.client.terminate();
  assert.equal(vaults[0].isLocked, true);
  assert.deepEqual(await vaults[1].wallets(), []);
  await second.client.terminate();
});
