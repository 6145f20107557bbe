// A vault in a worker locks itself: by its timer, by the clock after a sleep; and no secret stays in the worker's memory.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";

import { hashMessage } from "viem";

import { Clock, KDF, code, expected, fixture, joined, password, unhex, utf8, within } from "../support/client.mjs";
import { formsOfText, found, secretsOfPhrase } from "../support/secrets.mjs";
import * as local from "../dist/index.js";

// Page and worker share a thread here, so that the worker's memory can be caught where its instance is made.
let memory;
const { Instance } = WebAssembly;
WebAssembly.Instance = function (module, imports) {
  const instance = new Instance(module, imports);
  memory = instance.exports.memory;
  return instance;
};
local.initSync(readFileSync(new URL("../dist/glue/keyward_bg.wasm", import.meta.url)));
WebAssembly.Instance = Instance;

const ends = [];
after(() => Promise.all(ends.map((end) => end())));

const MINUTE = 60_000;
const MESSAGE = "hello";
const digest = Buffer.from(hashMessage(MESSAGE).slice(2), "hex");
const [sample] = expected.solana.transactions;

async function started(options = {}) {
  const clock = new Clock();
  const connection = await joined({ clock, autoLockMs: 5 * MINUTE, ...options });
  ends.push(connection.end);
  return { clock, ...connection };
}

async function opened(options) {
  const connection = await started(options);
  const vault = await connection.client.openVault(fixture("native.keyward"), password());
  const reasons = [];
  const locked = new Promise((resolve) => vault.onLock((why) => resolve(reasons.push(why))));
  return { ...connection, vault, reasons, locked };
}

test("it locks when its time has run out, and not before", async () => {
  const { clock, vault, reasons, locked } = await opened();
  const signer = await vault.solana();
  clock.advance(5 * MINUTE - 1);
  await signer.signMessage(utf8(MESSAGE));
  assert.equal(vault.isLocked, false);
  clock.advance(5 * MINUTE - 1);
  assert.deepEqual(reasons, []);
  clock.advance(1);
  await within(locked, "the lock");
  assert.deepEqual(reasons, ["idle"]);
  assert.equal(vault.isLocked, true);
  await assert.rejects(signer.signMessage(utf8(MESSAGE)), code("locked"));
  await assert.rejects(vault.keepAlive(), code("locked"));
  assert.equal(clock.timers, 0);
  await vault.free();
});

test("the usual time is five minutes", async () => {
  const { clock, vault, locked } = await opened({ autoLockMs: undefined });
  clock.advance(299_999);
  assert.equal(vault.isLocked, false);
  clock.advance(1);
  await within(locked, "the lock");
});

const uses = {
  "a message": async (vault, signer) => signer.signMessage(utf8(MESSAGE)),
  "a transaction": async (vault, signer) => signer.signTransactionBytes(unhex(sample.unsigned)),
  "a batch": async (vault, signer) => signer.signTransactions([{ messageBytes: unhex(sample.message) }]),
  "a new signer": async (vault) => vault.evm(),
  "keepAlive": async (vault) => vault.keepAlive(),
};

for (const [name, use] of Object.entries(uses)) {
  test(`${name} counts as use`, async () => {
    const { clock, vault, reasons, locked } = await opened();
    const signer = await vault.solana();
    for (let turn = 0; turn < 3; turn += 1) {
      clock.advance(4 * MINUTE);
      await use(vault, signer);
    }
    assert.deepEqual(reasons, []);
    assert.equal(vault.isLocked, false);
    clock.advance(5 * MINUTE);
    await within(locked, "the lock");
    await vault.free();
  });
}

const MALFORMED = Uint8Array.of(1, 2, 3);
/** What a dapp can have asked with nobody there: a page lists its accounts before it asks which ones to show. */
const unattended = {
  "a list of wallets": ({ vault }) => vault.wallets(),
  "a list of accounts": ({ vault }) => vault.accounts({ count: 2 }),
  "a reading": ({ solana }) => solana.inspect(unhex(sample.unsigned)),
  "the reading of a message": ({ solana }) => solana.inspectMessage(utf8(MESSAGE)),
  "the reading of an EVM message": ({ evm }) => evm.inspectMessage(MESSAGE),
  "the names of lookup tables": ({ solana }) => solana.lookupTables(unhex(sample.unsigned)),
  "a message that is refused": ({ solana }) => assert.rejects(solana.signMessage(unhex(sample.unsigned)), code("refused")),
  "a transaction that is malformed": ({ solana }) => assert.rejects(solana.signTransactionBytes(MALFORMED)),
  "an EVM transaction that is malformed": ({ evm }) => assert.rejects(evm.signTransaction(MALFORMED)),
};

for (const [name, call] of Object.entries(unattended)) {
  test(`${name} does not count as use, however often`, async () => {
    const { clock, vault, reasons, locked } = await opened();
    const signers = { vault, solana: await vault.solana(), evm: await vault.evm() };
    for (let minute = 1; minute < 5; minute += 1) {
      clock.advance(MINUTE);
      await call(signers);
    }
    assert.deepEqual(reasons, []);
    clock.advance(MINUTE);
    await within(locked, "the lock");
    assert.deepEqual(reasons, ["idle"]);
    await vault.free();
  });
}

test("to look whether it is locked does not count, nor does another vault's use, nor what needs no vault", async () => {
  const { clock, client, vault, reasons, locked } = await opened();
  const other = await client.openVault(fixture("native.keyward"), password());
  clock.advance(3 * MINUTE);
  assert.equal(vault.isLocked, false);
  await other.keepAlive();
  await client.version();
  await client.validateMnemonic(utf8(expected.phrase));
  clock.advance(2 * MINUTE);
  await within(locked, "the lock");
  assert.deepEqual(reasons, ["idle"]);
  await other.keepAlive();
  assert.equal(other.isLocked, false);
  await other.free();
});

for (const use of ["keepAlive", "wallets", "accounts", "solana", "evm", "export"]) {
  test(`after a sleep it is locked though no timer ran: ${use}`, async () => {
    const { clock, vault, reasons } = await opened();
    clock.sleep(5 * MINUTE);
    await assert.rejects(vault[use](), code("locked"));
    assert.deepEqual(reasons, ["idle"]);
    assert.equal(vault.isLocked, true);
    await vault.free();
  });
}

test("after a sleep its signers sign and read nothing", async () => {
  const { clock, vault, reasons } = await opened();
  const [solana, evm] = [await vault.solana(), await vault.evm()];
  clock.sleep(8 * 60 * MINUTE);
  await assert.rejects(solana.signTransactionBytes(unhex(sample.unsigned)), code("locked"));
  await assert.rejects(evm.signMessage(MESSAGE), code("locked"));
  assert.deepEqual(reasons, ["idle"]);
});

test("a short sleep counts as time gone by", async () => {
  const { clock, vault, reasons } = await opened();
  clock.sleep(3 * MINUTE);
  await vault.keepAlive();
  clock.sleep(4 * MINUTE);
  clock.advance(MINUTE - 1);
  await vault.keepAlive();
  assert.deepEqual(reasons, []);
});

test("a clock that was set back by more than a correction locks", async () => {
  const { clock, vault } = await opened();
  clock.sleep(-60 * MINUTE);
  await assert.rejects(vault.keepAlive(), code("locked"));
});

test("its time has bounds", async () => {
  for (const autoLockMs of [0, 999, 86_400_001, -1, Number.NaN, Number.POSITIVE_INFINITY, "300000", null]) {
    await assert.rejects(joined({ autoLockMs }), (error) => error.code === "number" || error.code === "argument", String(autoLockMs));
  }
  for (const autoLockMs of [1_000, 86_400_000]) {
    const { clock, vault, locked } = await opened({ autoLockMs });
    clock.advance(autoLockMs - 1);
    await vault.keepAlive();
    clock.advance(autoLockMs);
    await within(locked, `the lock after ${autoLockMs} ms`);
  }
});

test("a listener that throws does not keep the others from being told", async (t) => {
  const { clock, vault } = await opened();
  const thrown = [];
  process.setUncaughtExceptionCaptureCallback((error) => thrown.push(error.message));
  t.after(() => process.setUncaughtExceptionCaptureCallback(null));
  const told = [];
  const failing = vault.onLock(() => {
    throw new Error("a listener's own");
  });
  const locked = new Promise((resolve) => vault.onLock((why) => resolve(told.push(why))));
  clock.advance(5 * MINUTE);
  await within(locked, "the lock");
  await within(new Promise(setImmediate), "a turn");
  assert.deepEqual(told, ["idle"]);
  assert.deepEqual(thrown, ["a listener's own"]);
  failing();
});

const secretsOf = (phrase, words) => ({ ...formsOfText("password", words), ...secretsOfPhrase(phrase, { message: Buffer.from(MESSAGE), digest }) });
const occurrences = (secrets) => found(secrets, memory.buffer);

const endings = {
  "locking": async ({ vault }) => vault.lock(),
  "freeing": async ({ vault }) => vault.free(),
  "the automatic lock": async ({ clock, locked }) => {
    clock.advance(5 * MINUTE);
    await within(locked, "the lock");
  },
  "a use after a sleep": async ({ clock, vault }) => {
    clock.sleep(5 * MINUTE);
    await assert.rejects(vault.keepAlive(), code("locked"));
  },
  "the end of the client": async ({ client, locked }) => {
    await client.terminate();
    await within(locked, "the lock");
  },
};

for (const [name, end] of Object.entries(endings)) {
  test(`after ${name} no secret is in the worker's memory, nor in what crosses back`, async () => {
    const words = `canary password, ${name}`;
    const connection = await started();
    const phrase = await connection.client.generateMnemonic();
    const secrets = secretsOf(new TextDecoder().decode(phrase), words);
    assert.deepEqual(occurrences(secrets), [], "after making a phrase");
    const made = await connection.client.createVault(utf8(words), { phrase, kdf: KDF });
    const file = await made.export();
    await made.free();
    assert.deepEqual(occurrences(secrets), [], "after making a vault");
    const vault = await connection.client.openVault(file, utf8(words));
    const locked = new Promise((resolve) => vault.onLock(resolve));
    const [solana, evm] = [await vault.solana(), await vault.evm()];
    const canary = occurrences(secrets);
    assert.ok(canary.some((form) => form.includes("of Solana key")), "the canary: a signer holds its key made ready");
    assert.ok(canary.some((form) => form.startsWith("EVM key")), "and so does an EVM signer");
    await solana.signMessage(utf8(MESSAGE));
    await evm.signMessage(MESSAGE);
    await end({ ...connection, vault, locked });
    assert.deepEqual(occurrences(secrets), [], `after ${name}`);
    // The phrase itself was asked for, once.
    const crossed = connection.said.filter(({ value }) => !ArrayBuffer.isView(value) || value.length !== phrase.length);
    assert.equal(crossed.length, connection.said.length - 1);
    const written = JSON.stringify(crossed, (_key, value) => (ArrayBuffer.isView(value) ? Buffer.from(value).toString("latin1") : value));
    assert.deepEqual(found(secrets, Buffer.from(written)), [], "what the worker said");
  });
}

test("what the page handed over is wiped in the worker, also when it failed", async () => {
  const { port1, port2 } = new MessageChannel();
  const { serve } = await import("../dist/worker.js");
  // A scope that keeps the very messages that the worker read.
  const received = [];
  const scope = {
    postMessage: (message, transfer) => port2.postMessage(message, transfer),
    addEventListener: (type, listener) => port2.addEventListener(type, listener),
    removeEventListener: (type, listener) => port2.removeEventListener(type, listener),
    start: () => port2.start(),
  };
  port2.addEventListener("message", ({ data }) => received.push(data));
  serve({ scope, clock: new Clock() });
  const { connect } = await import("../dist/client.js");
  const client = await within(connect(port1), "connect");
  ends.push(() => client.terminate());
  const words = "canary password of what is handed over";
  await assert.rejects(client.openVault(fixture("native.keyward"), utf8(words)), code("refused-to-open"));
  await assert.rejects(client.createVault(utf8(words.slice(0, 11))), code("password-too-short"));
  await client.validateMnemonic(utf8(expected.phrase));
  const options = { phrase: utf8(expected.phrase), passphrase: utf8(words), secondFactor: utf8("ab".repeat(32)), kdf: KDF };
  const vault = await client.createVault(utf8(words), options);
  await assert.rejects(vault.importKey(utf8("canary key"), { password: utf8(words) }));
  await assert.rejects(vault.changePassword(utf8(words), utf8(`${words} again`), { kdf: KDF }));
  await assert.rejects(vault.solana("", { password: utf8(words) }).then((signer) => signer.signMessage(new Uint8Array(4))));
  await vault.free();
  const arrays = received.flatMap(bytesIn);
  assert.ok(arrays.length >= 12, `${arrays.length} arrays crossed`);
  assert.deepEqual(arrays.filter((array) => array.some((byte) => byte !== 0)), []);
});

function bytesIn(value) {
  if (ArrayBuffer.isView(value)) {
    return [value];
  }
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(bytesIn) : [];
}
