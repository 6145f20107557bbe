// The halves in a real browser, under the strictest policy that a page of ours has: a module worker, made by a Trusted
// Types policy, from files as they are in the package.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

import { PATIENCE_MS, expected } from "../support/client.mjs";

const CSP = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");
const ARGS = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-quic",
  "--disable-gpu",
];
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".wasm": "application/wasm" };
const file = (path) => fileURLToPath(new URL(path, import.meta.url));

/** What the page runs before each scenario: only the worker's address becomes a script, and only by this policy. */
const PRELUDE = `
import { connect } from "/dist/client.js";
const policy = trustedTypes.createPolicy("keyward-worker", {
  createScriptURL: (url) => { if (url !== "/keys.js") throw new TypeError("this page starts no other worker"); return url; },
});
const start = () => new Worker(policy.createScriptURL("/keys.js"), { type: "module" });
const utf8 = (text) => new TextEncoder().encode(text);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (digits) => Uint8Array.from(digits.match(/../g), (pair) => parseInt(pair, 16));
const codeOf = (promise) => promise.then(() => "none", (error) => error.code);
const { expected } = await (await fetch("/expected.json")).json();
const vaultFile = async () => new Uint8Array(await (await fetch("/native.keyward")).arrayBuffer());
const show = (value) => { document.querySelector("output").textContent = JSON.stringify(value); };
`;

const SCENARIOS = {
  signs: `
const keyward = await connect(start());
const vault = await keyward.openVault(await vaultFile(), utf8(expected.password));
const solana = await vault.solana();
const evm = await vault.evm();
const transactions = [];
for (const sample of expected.solana.transactions) {
  transactions.push(hex(await solana.signTransactionBytes(unhex(sample.unsigned))));
}
const review = await solana.inspect(unhex(expected.solana.transactions[0].unsigned));
const answers = {
  version: await keyward.version(), authority: vault.authority, transactions, allowed: review.verdict.allowed,
  message: hex(await solana.signMessage(utf8(expected.text))),
  evm: await evm.signMessage(expected.text), signed: await evm.signTransaction(expected.evm.unsigned),
  wrong: await codeOf(keyward.openVault(await vaultFile(), utf8("not the password"))),
};
const reasons = [];
vault.onLock((why) => reasons.push(why));
await vault.lock();
const afterwards = await codeOf(solana.signMessage(utf8("hello")));
await keyward.terminate();
show({ ...answers, reasons, afterwards, ended: await codeOf(keyward.generateMnemonic()) });`,

  idles: `
const keyward = await connect(start(), { autoLockMs: 1000 });
const vault = await keyward.openVault(await vaultFile(), utf8(expected.password));
const signer = await vault.solana();
const why = await new Promise((resolve) => vault.onLock(resolve));
show({ why, isLocked: vault.isLocked, code: await codeOf(signer.signMessage(utf8("hello"))) });`,

  aborts: `
const keyward = await connect(start());
const controller = new AbortController();
const opening = codeOf(keyward.openVault(await vaultFile(), utf8(expected.password), { signal: controller.signal }));
controller.abort();
const code = await opening;
const vault = await keyward.openVault(await vaultFile(), utf8(expected.password));
show({ code, id: vault.id });`,

  ports: `
const { port1, port2 } = new MessageChannel();
const worker = start();
await new Promise((resolve) => { worker.addEventListener("message", resolve, { once: true }); worker.postMessage({ port: port2 }, [port2]); });
const keyward = await connect(port1);
const vault = await keyward.openVault(await vaultFile(), utf8(expected.password));
show({ address: (await vault.evm()).address });`,

  crashes: `
const worker = start();
const keyward = await connect(worker);
const vault = await keyward.openVault(await vaultFile(), utf8(expected.password));
const locked = new Promise((resolve) => vault.onLock(resolve));
worker.postMessage({ crash: true });
show({ why: await locked, isLocked: vault.isLocked, code: await codeOf(vault.wallets()), later: await codeOf(keyward.generateMnemonic()) });`,

  refuses: `
let plain = "none";
try { new Worker("/keys.js", { type: "module" }); } catch (error) { plain = error.name; }
let other = "none";
try { policy.createScriptURL("https://elsewhere.example/keys.js"); } catch (error) { other = error.name; }
const missing = trustedTypes.createPolicy("missing", { createScriptURL: () => "/no-such-file.js" });
const code = await codeOf(connect(new Worker(missing.createScriptURL(""), { type: "module" })));
const { serve } = await import("/dist/worker.js");
let served = "none";
try { serve(); } catch (error) { served = error.code; }
show({ plain, other, code, served });`,
};

const KEYS = `
import { serve } from "/dist/worker.js";
serve();
addEventListener("message", ({ data }) => {
  if (data.port) { serve({ scope: data.port }); postMessage("served"); }
  if (data.crash) setTimeout(() => { throw new Error("of the test"); }, 0);
});`;

let server;
let browser;
let origin;

before(async () => {
  server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://127.0.0.1");
    const body = answer(pathname);
    response.writeHead(body === undefined ? 404 : 200, {
      "content-security-policy": CSP,
      "x-content-type-options": "nosniff",
      "content-type": TYPES[pathname === "/" ? ".html" : extname(pathname)] ?? "application/octet-stream",
    });
    response.end(body ?? "not found");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${server.address().port}`;
  const executablePath = process.env["KEYWARD_TEST_CHROMIUM"] ?? "/usr/bin/chromium";
  assert.ok(existsSync(executablePath), "no Chromium found; install it, or name it in KEYWARD_TEST_CHROMIUM");
  browser = await chromium.launch({ executablePath, args: ARGS, timeout: PATIENCE_MS });
});

after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

function answer(path) {
  const scenario = SCENARIOS[/^\/(\w+)\.js$/.exec(path)?.[1]];
  if (scenario !== undefined) {
    return PRELUDE + scenario;
  }
  if (path.startsWith("/dist/") && !path.includes("..")) {
    const own = file(`..${path}`);
    return existsSync(own) ? readFileSync(own) : undefined;
  }
  const page = /^\/(\w+)\.html$/.exec(path)?.[1];
  const fixed = {
    "/keys.js": KEYS,
    "/expected.json": JSON.stringify({ expected }),
    "/native.keyward": readFileSync(file("../../tests/fixtures/native.keyward")),
    "/favicon.ico": "",
  };
  const script = `<script type="module" src="/${page}.js"></script>`;
  return page === undefined ? fixed[path] : `<!doctype html><meta charset="utf-8"><title>keys</title><output></output>${script}`;
}

/** Runs a scenario in a page of its own; gives what it shows and whatever the browser complained of. */
async function shown(scenario) {
  const context = await browser.newContext();
  try {
    const complaints = [];
    context.on("console", (message) => {
      if (["error", "warning", "assert"].includes(message.type())) {
        complaints.push(message.text());
      }
    });
    context.on("weberror", (error) => complaints.push(String(error.error())));
    const page = await context.newPage();
    await page.goto(`${origin}/${scenario}.html`, { timeout: PATIENCE_MS });
    const output = page.locator("output:not(:empty)");
    await output.waitFor({ state: "attached", timeout: PATIENCE_MS }).catch(() => assert.fail(`nothing shown: ${complaints.join("\n")}`));
    return { complaints, ...JSON.parse(await output.textContent()) };
  } finally {
    await context.close();
  }
}

test("a module worker signs under the strict policy", async () => {
  const { version, ...answers } = await shown("signs");
  assert.match(version, /^\d+\.\d+\.\d+$/);
  assert.deepEqual(answers, {
    complaints: [],
    authority: "page",
    transactions: expected.solana.transactions.map((sample) => sample.signed),
    allowed: true,
    message: expected.solana.signature,
    evm: expected.evm.signature,
    signed: expected.evm.signed,
    wrong: "refused-to-open",
    reasons: ["asked"],
    afterwards: "locked",
    ended: "terminated",
  });
});

test("it locks itself after its time", async () => {
  assert.deepEqual(await shown("idles"), { complaints: [], why: "idle", isLocked: true, code: "locked" });
});

test("an aborted opening leaves the worker usable", async () => {
  assert.deepEqual(await shown("aborts"), { complaints: [], code: "aborted", id: expected.vault });
});

test("a port of a channel is served as well", async () => {
  assert.deepEqual(await shown("ports"), { complaints: [], address: expected.evm.address });
});

test("a worker that fails takes its handles with it", async () => {
  const { complaints, ...answers } = await shown("crashes");
  assert.deepEqual(answers, { why: "terminated", isLocked: true, code: "worker", later: "worker" });
  assert.ok(complaints.every((complaint) => complaint.includes("of the test")), complaints.join("\n"));
});

test("an address that no policy made starts no worker, and a missing file is said", async () => {
  const { plain, other, code, served } = await shown("refuses");
  assert.deepEqual({ plain, other, code }, { plain: "TypeError", other: "TypeError", code: "worker" });
  assert.equal(served, "argument", "a page does not serve its own window");
});
