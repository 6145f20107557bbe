// How quick and how large the browser package is, in Chromium, beside what else a page could use.
//
//   node bench.mjs
//
// Prints `figure; what; nanoseconds; aim`, `ratio; what; times; aim` and `size; what; bytes; aim` for `cargo xtask bench`.
// The package must be built (`cargo xtask wasm`).
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { chromium } from "playwright-core";

import { sizes } from "./sizes.mjs";

const AIMS = { signNs: 60_000, openNs: 500_000_000, timesWebCrypto: 1, timesProducer: 50 };
const ACCOUNTS = 100;
const module = new URL("../dist/glue/keyward_bg.wasm", import.meta.url);
assert.ok(existsSync(module), "the browser package is not built; run `cargo xtask wasm`");
const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = process.env["KEYWARD_TEST_CHROMIUM"] ?? CHROMIUM.find((path) => existsSync(path));
assert.ok(executablePath, "no Chromium found; install it, or name it in KEYWARD_TEST_CHROMIUM");

const bundled = await build({
  entryPoints: [fileURLToPath(new URL("page.js", import.meta.url))],
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  write: false,
  logLevel: "error",
});
const files = new Map([
  ["/", ["text/html", '<!doctype html><script type="module" src="/page.js"></script>']],
  ["/page.js", ["text/javascript", bundled.outputFiles[0].text]],
  ["/keyward.wasm", ["application/wasm", readFileSync(module)]],
]);
const server = createServer((request, response) => {
  const [type, body] = files.get(request.url) ?? [];
  // Cross-origin isolation makes the page's clock fine enough.
  response.writeHead(body === undefined ? 404 : 200, {
    "content-type": type ?? "text/plain",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
  });
  response.end(body);
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const args = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-quic",
  "--disable-gpu",
];
const browser = await chromium.launch({ executablePath, args });
let measured;
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction("typeof globalThis.benchmark === 'function'");
  measured = await page.evaluate("globalThis.benchmark()");
} finally {
  await browser.close();
  server.close();
}

const nanoseconds = (milliseconds) => Math.round(milliseconds * 1e6);
const figure = (what, milliseconds, aim) => console.log(`figure; ${what}; ${nanoseconds(milliseconds)}; ${aim ?? "-"}`);
const ratio = (what, times, aim) => console.log(`ratio; ${what}; ${times.toFixed(2)}; ${aim ?? "-"}`);

/** One figure for each, ours with its aim, then how many times as long the others took. */
function beside(what, taken, each, aim, aims = {}) {
  const { keyward, ...others } = taken;
  figure(`${what} (browser, median)`, keyward / each, aim);
  for (const [name, milliseconds] of Object.entries(others)) {
    figure(`  ${name}`, milliseconds / each);
    ratio(`${name} in the browser: ${what}`, milliseconds / keyward, aims[name]);
  }
}

beside("ed25519 signature of 250 bytes, read and judged", measured.sign, 1, AIMS.signNs, { WebCrypto: AIMS.timesWebCrypto });
beside("a vault opened at N = 2^17", measured.open, 1, AIMS.openNs);
beside("one of 100 Solana accounts", measured.derive.solana, ACCOUNTS, undefined, { "micro-key-producer": AIMS.timesProducer });
beside("one of 100 EVM accounts", measured.derive.evm, ACCOUNTS);
for (const { what, bytes, aim } of await sizes()) {
  console.log(`size; ${what}; ${bytes}; ${aim ?? "-"}`);
}
