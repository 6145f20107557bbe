// Neither half believes the other: what is not as agreed is an error, and never more than that.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { PATIENCE_MS, code, expected, fixture, hex, joined, password, unhex, utf8, within } from "../support/client.mjs";
import * as local from "../dist/index.js";
import { connect } from "../dist/client.js";
import { serve } from "../dist/worker.js";

const ends = [];
const unhandled = [];
process.on("unhandledRejection", (error) => unhandled.push(error));
process.on("uncaughtException", (error) => unhandled.push(error));

before(() => local.init());
after(async () => {
  await Promise.all(ends.map((end) => end()));
  assert.deepEqual(unhandled, [], "nothing escaped");
});

/** A served scope, spoken to without a client; `ask` gives the next answer. */
async function bare() {
  const connection = await joined();
  ends.push(connection.end);
  const { page, client } = connection;
  const ask = (message, transfer = []) =>
    within(
      new Promise((resolve) => {
        page.addEventListener("message", ({ data }) => resolve(data), { once: true });
        page.postMessage(message, transfer);
      }),
      JSON.stringify(Object.keys(message)),
    );
  return { ...connection, client, ask };
}

function cyclic() {
  const value = { name: "a cycle" };
  value.self = value;
  return value;
}

function deep(levels) {
  let value = [];
  for (let level = 0; level < levels; level += 1) {
    value = [value];
  }
  return value;
}

const hostile = {
  "a cycle among the arguments": { method: "generateMnemonic", args: [cyclic()] },
  "a cycle in an option": { method: "createVault", args: [utf8("a password of a test"), { phrase: cyclic() }] },
  "arguments of great depth": { method: "generateMnemonic", args: deep(2_000) },
  "a list where bytes are wanted": { method: "openVault", args: [[1, 2], [3]] },
  "a number of words beyond all": { method: "generateMnemonic", args: [1e308] },
  "an object as number": { method: "generateMnemonic", args: [{ valueOf: 12 }] },
  "another array": { method: "validateMnemonic", args: [new Uint16Array(24)] },
  "a map": { method: "createVault", args: [new Map(), new Map()] },
  "a method of every object": { method: "hasOwnProperty", args: [] },
  "the prototype": { method: "__proto__", args: [] },
  "no method at all": { method: "", args: [] },
  "another hello": { method: "hello", args: [1_000] },
};

for (const [name, message] of Object.entries(hostile)) {
  test(`the worker refuses ${name}, and goes on`, async () => {
    const { ask, client } = await bare();
    const answer = await ask({ keyward: 1, id: 4_000, target: 0, ...message });
    assert.equal(answer.id, 4_000);
    assert.equal(typeof answer.error?.code, "string");
    assert.ok(!["internal", "poisoned"].includes(answer.error.code), answer.error.message);
    assert.deepEqual(Object.keys(answer.error).sort(), ["code", "message", "position", "reasons"]);
    assert.equal(await client.version(), local.version());
    assert.deepEqual(await client.validateMnemonic(utf8(expected.phrase)), { valid: true, words: 12 });
  });
}

test("the worker signs nothing in memory that another thread can change", async () => {
  const { ask, client } = await bare();
  const vault = await client.openVault(fixture("native.keyward"), password());
  await vault.solana();
  const [sample] = expected.solana.transactions;
  const shared = new Uint8Array(new SharedArrayBuffer(sample.unsigned.length / 2));
  shared.set(unhex(sample.unsigned));
  const answer = await ask({ keyward: 1, id: 4_001, target: 2, method: "signTransactionBytes", args: [shared, undefined] });
  assert.equal(answer.error?.code, "argument");
});

test("the page signs what it was given when it was called, whatever becomes of the array", async () => {
  const { client } = await bare();
  const vault = await client.openVault(fixture("native.keyward"), password());
  const [sample] = expected.solana.transactions;
  const shared = new Uint8Array(new SharedArrayBuffer(sample.unsigned.length / 2));
  shared.set(unhex(sample.unsigned));
  const buffer = Buffer.from(sample.unsigned, "hex");
  const array = unhex(sample.unsigned);
  const signer = await vault.solana("", { lookupTables: () => assert.fail("names no table") });
  const signing = [shared, buffer, array].map((wire) => signer.signTransactionBytes(wire));
  [shared, buffer, array].forEach((wire) => wire.fill(0));
  for (const signed of await Promise.all(signing)) {
    assert.equal(hex(signed), sample.signed);
  }
  const messages = [Buffer.from(sample.message, "hex"), unhex(sample.message)];
  const batch = signer.signTransactions(messages.map((messageBytes) => ({ messageBytes })));
  messages.forEach((message) => message.fill(0));
  for (const signatures of await batch) {
    assert.equal(hex(signatures[signer.address]), sample.signature);
  }
});

test("a batch is as long as it likes, and all or none", async () => {
  const { client } = await bare();
  const vault = await client.openVault(fixture("native.keyward"), password());
  const signer = await vault.solana();
  const contents = Array.from({ length: 300 }, (_, at) => ({ content: utf8(`message ${at}`) }));
  assert.equal((await signer.signMessages(contents)).length, 300);
  const [sample] = expected.solana.transactions;
  const transactions = Array.from({ length: 300 }, () => ({ messageBytes: unhex(sample.message) }));
  assert.equal((await signer.signTransactions(transactions)).length, 300);
});

test("a worker keeps so many handles and no more", async () => {
  const { client } = await bare();
  const vault = await client.openVault(fixture("native.keyward"), password());
  const signers = [];
  let refused;
  while (refused === undefined && signers.length < 5_000) {
    const batch = await Promise.allSettled(Array.from({ length: 200 }, () => vault.evm()));
    signers.push(...batch.filter(({ status }) => status === "fulfilled").map(({ value }) => value));
    refused = batch.find(({ status }) => status === "rejected")?.reason;
  }
  code("busy")(refused);
  assert.equal(signers.length, 4_095, "and the vault");
  await assert.rejects(client.openVault(fixture("native.keyward"), password()), code("busy"));
  await signers[0].free();
  await vault.solana();
});

test("signers that the page forgot are freed in the worker", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  const { client, scope } = await bare();
  const freed = [];
  scope.addEventListener("message", ({ data }) => data.method === "free" && freed.push(data.target));
  const vault = await client.openVault(fixture("native.keyward"), password());
  const kept = await vault.evm();
  await (async () => {
    const lost = await vault.solana();
    await lost.signMessage(utf8("hello"));
  })();
  const until = Date.now() + PATIENCE_MS;
  while (freed.length === 0 && Date.now() < until) {
    collect();
    await new Promise(setImmediate);
  }
  assert.deepEqual(freed, [3], "the lost one alone");
  await kept.signMessage("hello");
  await vault.keepAlive();
});

test("a worker that was ended opens nothing more, not even what it had begun", async () => {
  const { client, ask } = await bare();
  const vault = await client.openVault(fixture("native.keyward"), password());
  await vault.keepAlive();
  const answers = [];
  const { port1, port2 } = new MessageChannel();
  const timers = new Set();
  const clock = {
    wall: () => 0,
    steady: () => 0,
    after: (_ms, work) => {
      timers.add(work);
      return () => timers.delete(work);
    },
  };
  serve({ scope: port2, clock });
  const done = new Promise((resolve) => {
    port1.addEventListener("message", ({ data }) => answers.push(data) === 4 && resolve());
  });
  const say = (id, method, ...args) => port1.postMessage({ keyward: 1, id, target: 0, method, args });
  say(1, "hello", 60_000);
  say(2, "openVault", fixture("native.keyward"), password());
  say(3, "end");
  say(4, "openVault", fixture("native.keyward"), password());
  await within(done, "four answers");
  const codes = Object.fromEntries(answers.map(({ id, error }) => [id, error?.code]));
  assert.deepEqual(codes, { 1: undefined, 2: "terminated", 3: undefined, 4: "terminated" });
  assert.equal(timers.size, 0);
  port1.close();
  assert.equal((await ask({ keyward: 1, id: 4_002, target: 0, method: "version", args: [] })).error, undefined);
});

test("a worker that was ended is not connected to again", async () => {
  const { client, page } = await bare();
  await client.terminate();
  await assert.rejects(connect(page), code("terminated"));
});

test("a scope that is a page's window, or nothing at all, is not served", () => {
  assert.throws(() => serve(), code("argument"));
});

/** A worker that answers what the test says. */
class Puppet extends EventTarget {
  asked = [];
  ended = 0;
  answers;
  constructor(answers) {
    super();
    this.answers = answers;
  }
  postMessage(message) {
    this.asked.push(message);
    const said = this.answers(message);
    if (said !== undefined) {
      queueMicrotask(() => this.says(said));
    }
  }
  says(data) {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
  terminate() {
    this.ended += 1;
  }
}

const greeting = (message) => (message.method === "hello" ? { keyward: 1, id: message.id, value: "1.2.3" } : undefined);

async function puppet(answers) {
  const worker = new Puppet((message) => greeting(message) ?? answers(message));
  return { worker, client: await within(connect(worker), "connect") };
}

const wrong = {
  "a phrase as text": ["generateMnemonic", [], "a phrase"],
  "no phrase": ["generateMnemonic", [], undefined],
  "a vault without a handle": ["openVault", [new Uint8Array(9), password()], { id: "x", authority: "page" }],
  "an authority that is none": ["openVault", [new Uint8Array(9), password()], { handle: 1, id: "x", authority: "nobody" }],
  "a handle that is no number": ["openVault", [new Uint8Array(9), password()], { handle: {}, id: "x", authority: "page" }],
  "a description that is none": ["describeVault", [new Uint8Array(9)], ["id"]],
  "a check that is none": ["validateMnemonic", [utf8("abandon")], { valid: "yes" }],
};

for (const [name, [method, args, value]] of Object.entries(wrong)) {
  test(`the page takes no ${name} from a worker`, async () => {
    const { worker, client } = await puppet((message) => ({ keyward: 1, id: message.id, value }));
    await assert.rejects(within(client[method](...args), name), code("worker"));
    assert.equal(worker.asked.at(-1).method, method);
  });
}

const garbage = {
  "another version": { keyward: 2, id: 2, value: "x" },
  "an answer without a number": { keyward: 1, value: "x" },
  "a number that is none": { keyward: 1, id: "2", value: "x" },
  "a lock for no known reason": { keyward: 1, locked: 1, why: "for fun" },
};

for (const [name, message] of Object.entries(garbage)) {
  test(`a worker that says ${name} is not used again`, async () => {
    const { worker, client } = await puppet(() => undefined);
    const pending = client.generateMnemonic();
    worker.says(message);
    await assert.rejects(within(pending, "the rejection"), code("worker"));
    assert.equal(worker.ended, 1);
    await assert.rejects(client.generateMnemonic(), code("worker"));
  });
}

test("an error that is none says nothing, and takes the worker with it", async () => {
  for (const error of [null, 7, "text", {}, { code: 7, message: "x" }, { code: "argument", message: {} }]) {
    const { worker, client } = await puppet((message) => ({ keyward: 1, id: message.id, error }));
    await assert.rejects(within(client.generateMnemonic(), "the rejection"), (own) => ["internal", "worker"].includes(own.code));
    assert.equal(worker.ended, 1);
  }
});

test("answers to nothing that was asked, or twice to the same, change nothing", async () => {
  const { worker, client } = await puppet((message) => ({ keyward: 1, id: message.id, value: new Uint8Array(3) }));
  worker.says({ keyward: 1, id: 777, value: "unasked" });
  worker.says({ keyward: 1, locked: 777, why: "idle" });
  assert.equal((await client.generateMnemonic()).length, 3);
  worker.says({ keyward: 1, id: worker.asked.at(-1).id, value: "again" });
  assert.equal((await client.generateMnemonic()).length, 3);
  assert.equal(worker.ended, 0);
});

test("what is on its way is bounded, also for a worker that answers nothing", async () => {
  const { client } = await puppet(() => undefined);
  const calls = Array.from({ length: 256 }, () => client.generateMnemonic());
  await assert.rejects(client.generateMnemonic(), code("busy"));
  const ended = Promise.allSettled(calls);
  await within(client.terminate(), `an end within ${PATIENCE_MS} ms`);
  for (const { reason } of await ended) {
    code("terminated")(reason);
  }
});

/** Every file that a program gets with this one. */
function imported(url, seen = new Set()) {
  if (!seen.has(url.href)) {
    seen.add(url.href);
    assert.ok(existsSync(url), url.href);
    for (const [, path] of readFileSync(url, "utf8").matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
      imported(new URL(path, url), seen);
    }
  }
  return seen;
}

test("the page's half brings no module and nothing that could load one", () => {
  const dist = new URL("../dist/", import.meta.url).href;
  const files = (entry) => [...imported(new URL(entry, dist))].map((href) => href.slice(dist.length));
  assert.ok(files("worker.js").includes("glue/keyward.js"), "the canary: the worker's half does");
  const page = files("client.js");
  assert.ok(page.includes("rpc/link.js"));
  assert.deepEqual(page.filter((path) => /^(glue\/|engine|vault|solana|evm\.|worker|rpc\/server)/.test(path)), []);
});
