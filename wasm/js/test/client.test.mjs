// Page and worker, with a MessageChannel between them: the same halves as in a browser, and a clock that the test moves.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";

import web3 from "@solana/web3.js";

import * as keyward from "../dist/index.js";
import { connect } from "../dist/client.js";
import { serve } from "../dist/worker.js";

const utf8 = (text) => new TextEncoder().encode(text);
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const unhex = (digits) => new Uint8Array(Buffer.from(digits.replace(/^0x/, ""), "hex"));
const fixture = (name) => readFileSync(new URL(`../../tests/fixtures/${name}`, import.meta.url));
const expected = JSON.parse(fixture("native.json"));
const mail = fixture("mail.json").toString();
const file = () => new Uint8Array(fixture("native.keyward"));
const password = () => utf8(expected.password);
const code = (wanted) => (error) => {
  assert.ok(error instanceof keyward.KeywardError, String(error));
  assert.equal(error.code, wanted);
  return true;
};

before(() => keyward.init());

/** Time that stands still until it is told to go on. */
class TestClock {
  now = 1_700_000_000_000;
  asleep = 0;
  #timers = new Set();

  wall() {
    return this.now;
  }

  steady() {
    return this.now - this.asleep;
  }

  after(ms, callback) {
    const timer = { due: this.now + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Goes on, and calls whatever is due. */
  pass(ms) {
    this.now += ms;
    for (const timer of [...this.#timers].filter(({ due }) => due <= this.now)) {
      this.#timers.delete(timer);
      timer.callback();
    }
  }

  /** Goes on as a closed laptop does: no timer runs, and the steady clock stands still. */
  sleep(ms) {
    this.now += ms;
    this.asleep += ms;
  }

  get waiting() {
    return this.#timers.size;
  }
}

/** Both ends of a channel; the page's end notes what crosses it. */
function channel(t) {
  const { port1: page, port2: scope } = new MessageChannel();
  const seen = [];
  const worker = {
    ended: false,
    postMessage: (message, transfer) => {
      seen.push({ message, transfer });
      worker.onPost?.(message);
      page.postMessage(message, transfer);
    },
    addEventListener: (type, listener) => page.addEventListener(type, listener),
    removeEventListener: (type, listener) => page.removeEventListener(type, listener),
    start: () => page.start(),
    terminate() {
      this.ended = true;
      page.close();
    },
    /** As if the worker had said this. */
    hears: (data) => page.dispatchEvent(new MessageEvent("message", { data })),
    fails: () => page.dispatchEvent(new Event("error")),
  };
  t.after(() => page.close());
  return { worker, scope, seen };
}

async function connected(t, options = {}) {
  const { worker, scope, seen } = channel(t);
  const clock = new TestClock();
  serve({ scope, clock });
  const client = await connect(worker, options);
  t.after(() => client.terminate());
  return { client, worker, scope, seen, clock };
}

async function opened(t, options) {
  const all = await connected(t, options);
  return { ...all, vault: await all.client.openVault(file(), password()) };
}

test("what is signed in the worker is what is signed here", async (t) => {
  const { client, vault } = await opened(t);
  assert.equal(await client.version(), keyward.version());
  assert.equal(vault.id, expected.vault);
  assert.equal(vault.authority, "page");
  const local = await keyward.openVault(file(), password());
  assert.deepEqual(await vault.wallets(), local.wallets());
  assert.deepEqual(await vault.accounts({ start: 3, count: 4 }), local.accounts({ start: 3, count: 4 }));

  const solana = await vault.solana();
  assert.equal(solana.address, expected.solana.address);
  assert.equal(solana.path, expected.solana.path);
  assert.deepEqual(solana.publicKey, local.solana().publicKey);
  assert.equal(hex(await solana.signMessage(utf8(expected.text))), expected.solana.signature);
  const [dictionary] = await solana.signMessages([{ content: utf8(expected.text) }]);
  assert.equal(hex(dictionary[solana.address]), expected.solana.signature);
  for (const { message, unsigned, signature, signed } of expected.solana.transactions) {
    assert.equal(hex(await solana.signTransactionBytes(unhex(unsigned))), signed);
    const [own] = await solana.signTransactions([{ messageBytes: unhex(message) }]);
    assert.equal(hex(own[solana.address]), signature);
    assert.deepEqual(await solana.inspect(unhex(unsigned)), await local.solana().inspect(unhex(unsigned)));
  }
  assert.deepEqual(await solana.inspectMessage(utf8("hello")), local.solana().inspectMessage(utf8("hello")));

  const evm = await vault.evm();
  assert.equal(evm.address, expected.evm.address);
  assert.equal(await evm.signMessage(expected.text), expected.evm.signature);
  assert.equal(await evm.signTypedData(mail), expected.evm.typedData);
  assert.equal(await evm.signTransaction(expected.evm.unsigned), expected.evm.signed);
  assert.deepEqual(await evm.inspect(expected.evm.unsigned), local.evm().inspect(expected.evm.unsigned));
  assert.deepEqual(await evm.inspectMessage("hello"), local.evm().inspectMessage("hello"));
  assert.deepEqual(await evm.inspectTypedData(mail), local.evm().inspectTypedData(mail));
});

test("vaults are made, changed and exported in the worker", async (t) => {
  const { client } = await connected(t);
  const phrase = await client.generateMnemonic(12);
  assert.deepEqual(await client.validateMnemonic(phrase), { valid: true, words: 12 });
  assert.equal((await client.validateMnemonic(utf8("abandon about"))).code, "phrase-word-count");
  assert.equal((await client.validateMnemonic(utf8(`abandon ${"abandon ".repeat(10)}zzzz`))).position, 12);
  const vault = await client.createVault(password(), { phrase, kdf: "scrypt-16384" });
  assert.equal((await vault.wallets()).length, 2);
  const [imported] = await vault.importKey(Uint8Array.from({ length: 32 }, () => 7), { format: "raw", chain: "solana", label: "hot" });
  assert.equal(imported.address, expected.imported);
  await vault.changePassword(password(), utf8("another long password"), { kdf: "scrypt-16384" });
  const exported = await vault.export();
  assert.deepEqual(await client.describeVault(exported), { id: vault.id, needsSecondFactor: false });
  await assert.rejects(client.openVault(exported, password()), code("refused-to-open"));
  const again = await client.openVault(exported, utf8("another long password"));
  assert.equal((await again.wallets()).length, 3);
});

test("secrets cross as copies that nobody keeps", async (t) => {
  const { client, seen } = await connected(t);
  const typed = password();
  await client.openVault(file(), typed);
  assert.deepEqual(typed, password(), "the caller's own array stays the caller's");
  const { message, transfer } = seen.at(-1);
  assert.equal(message.method, "openVault");
  assert.equal(transfer.length, 2);
  // Handed over: nothing is left of them on this side.
  assert.ok(transfer.every((buffer) => buffer.byteLength === 0));
  await assert.rejects(client.openVault(file(), "a password as text"), code("argument"));
  await assert.rejects(client.createVault(password(), { phrase: "words as text" }), code("argument"));
});

test("the worker wipes what it was handed, whatever came of it", async (t) => {
  const { port1, port2 } = new MessageChannel();
  t.after(() => port1.close());
  const received = [];
  serve({
    clock: new TestClock(),
    scope: {
      postMessage: (message, transfer) => port2.postMessage(message, transfer),
      addEventListener: (type, listener) =>
        port2.addEventListener(type, (event) => {
          received.push(event.data);
          listener(event);
        }),
      removeEventListener: () => assert.fail("a worker listens for as long as it lives"),
      start: () => port2.start(),
    },
  });
  const client = await connect({
    postMessage: (message, transfer) => port1.postMessage(message, transfer),
    addEventListener: (type, listener) => port1.addEventListener(type, listener),
    removeEventListener: (type, listener) => port1.removeEventListener(type, listener),
    start: () => port1.start(),
  });
  t.after(() => client.terminate());
  await client.openVault(file(), password());
  await assert.rejects(client.openVault(file(), utf8("not the right password")), code("refused-to-open"));
  await client.createVault(password(), { phrase: utf8(expected.phrase), passphrase: utf8("canary"), kdf: "scrypt-16384" });
  await client.version();
  const bytesIn = (value) =>
    value instanceof Uint8Array ? [value] : typeof value === "object" && value !== null ? Object.values(value).flatMap(bytesIn) : [];
  const arrays = received.flatMap(bytesIn);
  assert.equal(arrays.length, 7);
  assert.ok(arrays.every((array) => array.length > 0 && array.every((byte) => byte === 0)));
});

test("a vault is locked once it is idle, by the timer or by the clock", async (t) => {
  const { client, vault, clock } = await opened(t, { autoLockMs: 60_000 });
  const solana = await vault.solana();
  const reasons = [];
  vault.onLock((why) => reasons.push(why));
  clock.pass(59_000);
  await solana.signMessage(utf8("used"));
  clock.pass(59_000);
  await vault.keepAlive();
  clock.pass(59_999);
  assert.equal(vault.isLocked, false);
  clock.pass(1);
  await assert.rejects(solana.signMessage(utf8("hello")), code("locked"));
  assert.deepEqual(reasons, ["idle"]);
  assert.equal(vault.isLocked, true);
  assert.equal(clock.waiting, 0);

  const second = await client.openVault(file(), password());
  const signer = await second.evm();
  second.onLock((why) => reasons.push(`second ${why}`));
  clock.sleep(60_000);
  await assert.rejects(signer.signMessage("hello"), code("locked"));
  assert.deepEqual(reasons, ["idle", "second idle"]);
  await assert.rejects(second.keepAlive(), code("locked"));
});

test("lock and free wipe, and say so", async (t) => {
  const { vault, client, clock } = await opened(t);
  const solana = await vault.solana();
  const reasons = [];
  vault.onLock((why) => reasons.push(why));
  vault.onLock(() => assert.fail("was taken back"))();
  await vault.lock();
  await vault.lock();
  assert.deepEqual(reasons, ["asked"]);
  await assert.rejects(solana.signMessage(utf8("hello")), code("locked"));
  await assert.rejects(vault.accounts(), code("locked"));
  await solana.free();
  await solana.free();
  await assert.rejects(solana.signMessage(utf8("hello")), code("freed"));
  await vault.free();
  await vault.free();
  await assert.rejects(vault.wallets(), code("freed"));
  const other = await client.openVault(file(), password());
  const orphan = await other.evm();
  await other.free();
  await assert.rejects(orphan.signMessage("hello"), code("freed"));
  assert.equal(clock.waiting, 0);
});

test("an abort rejects at once, and what was opened for it is forgotten", async (t) => {
  const { client, worker, seen } = await connected(t);
  const forgotten = new Promise((resolve) => {
    worker.onPost = ({ method }) => method === "free" && resolve();
  });
  const controller = new AbortController();
  const opening = client.openVault(file(), password(), { signal: controller.signal });
  controller.abort();
  await assert.rejects(opening, code("aborted"));
  await assert.rejects(client.openVault(file(), password(), { signal: controller.signal }), code("aborted"));
  await forgotten;
  assert.deepEqual(
    seen.map(({ message }) => message.method),
    ["hello", "openVault", "free"],
  );
});

test("ending the worker wipes first and rejects what is on its way", async (t) => {
  const { client, vault, worker, seen } = await opened(t);
  const reasons = [];
  vault.onLock((why) => reasons.push(why));
  const ending = client.terminate();
  await assert.rejects(vault.wallets(), code("terminated"));
  await ending;
  assert.equal(seen.at(-1).message.method, "end");
  assert.equal(worker.ended, true);
  assert.deepEqual(reasons, ["terminated"]);
  await assert.rejects(client.generateMnemonic(), code("terminated"));
  await client.terminate();
});

test("a worker at fault is ended with its keys", async (t) => {
  const { client, worker, seen } = await connected(t);
  const pending = client.generateMnemonic();
  worker.hears({ keyward: 1, id: seen.at(-1).message.id, error: { code: "internal", message: "it stopped" } });
  await assert.rejects(pending, code("internal"));
  assert.equal(worker.ended, true);
  await assert.rejects(client.generateMnemonic(), code("worker"));
});

test("connecting needs a worker that answers, of this version, with nobody else's keys", async (t) => {
  const silent = channel(t);
  await assert.rejects(connect(silent.worker, { timeoutMs: 1 }), code("worker"));
  assert.equal(silent.worker.ended, true);

  const older = channel(t);
  const joining = connect(older.worker);
  older.worker.hears({ keyward: 0, id: 1, value: "0.0.1" });
  await assert.rejects(joining, code("worker"));

  for (const autoLockMs of [0, 999, 86_400_001, Number.NaN, Number.POSITIVE_INFINITY]) {
    await assert.rejects(connect(channel(t).worker, { autoLockMs }), code("number"), String(autoLockMs));
  }

  const { scope, worker } = await connected(t);
  serve({ scope });
  const answers = [];
  worker.addEventListener("message", ({ data }) => answers.push(data));
  const answer = new Promise((resolve) => worker.addEventListener("message", resolve));
  worker.postMessage({ keyward: 1, id: 77, target: 0, method: "hello", args: [60_000] }, []);
  await answer;
  assert.equal(answers.length, 1);
  assert.equal(answers[0].error.code, "worker");
});

test("messages that are not as agreed are refused, and others passed over", async (t) => {
  const { worker, client } = await opened(t);
  const answer = (message) =>
    new Promise((resolve) => {
      const listener = ({ data }) => {
        worker.removeEventListener("message", listener);
        resolve(data);
      };
      worker.addEventListener("message", listener);
      worker.postMessage(message, []);
    });
  for (const [message, wanted] of [
    [{ keyward: 2, id: 900, target: 0, method: "version", args: [] }, "worker"],
    [{ keyward: 1, id: 901, target: 0, method: "version" }, "worker"],
    [{ keyward: 1, id: 902, target: 0, method: 7, args: [] }, "worker"],
    [{ keyward: 1, id: 903, target: 0, method: "constructor", args: [] }, "worker"],
    [{ keyward: 1, id: 904, target: 1, method: "toString", args: [] }, "worker"],
    [{ keyward: 1, id: 905, target: 1, method: "__proto__", args: [] }, "worker"],
    [{ keyward: 1, id: 906, target: 999, method: "wallets", args: [] }, "freed"],
    [{ keyward: 1, id: 907, target: 1, method: "solana", args: [{ toString: 1 }] }, "argument"],
    [{ keyward: 1, id: 908, target: 1, method: "accounts", args: [{ count: "5" }] }, "argument"],
    [{ keyward: 1, id: 909, target: 1, method: "importKey", args: ["a key as text", {}] }, "argument"],
    [{ keyward: 1, id: 910, target: 0, method: "openVault", args: [file(), "text"] }, "argument"],
    [{ keyward: 1, id: 911, target: 1, method: "accounts", args: [{ count: 5000 }] }, "derivation"],
  ]) {
    const { id, error } = await answer(message);
    assert.deepEqual({ id, code: error?.code }, { id: message.id, code: wanted }, JSON.stringify(message));
    assert.ok(!error.message.includes("a key as text"));
  }
  // Somebody else's messages are none of ours, on either side.
  worker.postMessage("hello", []);
  worker.postMessage({ type: "theirs" }, []);
  worker.hears({ type: "theirs" });
  worker.hears(null);
  assert.equal(await client.version(), keyward.version());
});

test("calls are bounded", async (t) => {
  const { client } = await connected(t);
  const calls = Array.from({ length: 257 }, () => client.generateMnemonic(12));
  await assert.rejects(calls.pop(), code("busy"));
  await Promise.all(calls);
  await client.generateMnemonic(12);
});

test("lookup tables stay the page's to fetch", async (t) => {
  const { vault } = await opened(t);
  const table = web3.Keypair.generate().publicKey;
  const recipient = web3.Keypair.generate().publicKey;
  const account = new web3.AddressLookupTableAccount({
    key: table,
    state: { deactivationSlot: 2n ** 64n - 1n, lastExtendedSlot: 0, lastExtendedSlotStartIndex: 0, addresses: [recipient] },
  });
  const payer = new web3.PublicKey(expected.solana.address);
  const instruction = web3.SystemProgram.transfer({ fromPubkey: payer, toPubkey: recipient, lamports: 5 });
  const recentBlockhash = "4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM";
  const message = new web3.TransactionMessage({ payerKey: payer, recentBlockhash, instructions: [instruction] });
  const wire = new web3.VersionedTransaction(message.compileToV0Message([account])).serialize();

  const blind = await vault.solana();
  assert.deepEqual(await blind.lookupTables(wire), [table.toBase58()]);
  assert.equal((await blind.inspect(wire)).verdict.allowed, false);
  await assert.rejects(blind.signTransactionBytes(wire), code("refused"));
  const lookupTables = { [table.toBase58()]: [recipient.toBase58()] };
  assert.equal((await blind.inspect(wire, { lookupTables })).verdict.allowed, true);

  const asked = [];
  const seeing = await vault.solana("", {
    lookupTables: async (named) => {
      asked.push(named);
      return lookupTables;
    },
  });
  const signed = web3.VersionedTransaction.deserialize(await seeing.signTransactionBytes(wire));
  assert.deepEqual(asked, [[table.toBase58()]]);
  assert.ok(signed.signatures[0].some((byte) => byte !== 0));
  await assert.rejects(blind.signTransactionBytes(wire, { lookupTables: { [table.toBase58()]: "text" } }), code("argument"));
});
