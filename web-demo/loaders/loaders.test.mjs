// The packed package loads and signs in every way that the README promises: in a real browser under the page's policy.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { build as bundleWithEsbuild } from "esbuild";
import { build as buildWithVite, createServer as serveWithVite } from "vite";
import webpack from "webpack";

import { PATIENCE_MS, launch, watch } from "../tests/support/browser.mjs";
import { CSP } from "../tests/support/csp.mjs";
import { expected, fixture, installPacked } from "../tests/support/package.mjs";
import { serve } from "../tests/support/server.mjs";

const APPS = fileURLToPath(new URL("apps", import.meta.url));
const SIGNED = { solana: [...Buffer.from(expected.solana.signature, "hex")], evm: expected.evm.signature };
let browser;
let user;

before(async () => {
  user = installPacked();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  user?.remove();
});

/** A program that uses the unpacked package: the apps, whose page loads `entry`. */
function program(entry) {
  const folder = mkdtempSync(join(user.folder, "app-"));
  cpSync(APPS, folder, { recursive: true });
  const page = readFileSync(join(APPS, "index.html"), "utf8");
  writeFileSync(join(folder, "index.html"), page.replace("./main.js", `./${entry}`));
  return folder;
}

/** Copies what a built program is served with. */
function served(folder, script) {
  mkdirSync(folder, { recursive: true });
  copyFileSync(fixture("native.keyward"), join(folder, "native.keyward"));
  if (script !== undefined) {
    const page = readFileSync(join(APPS, "index.html"), "utf8");
    writeFileSync(join(folder, "index.html"), page.replace(/<script.*<\/script>/, script));
  }
  return folder;
}

/** Opens the page and gives what it shows; fails on any complaint of the browser. */
async function shown(origin) {
  const context = await browser.newContext();
  try {
    const complaints = await watch(context, origin);
    const page = await context.newPage();
    await page.goto(`${origin}/`, { timeout: PATIENCE_MS });
    const output = page.locator("output:not(:empty)");
    await output.waitFor({ state: "attached", timeout: PATIENCE_MS }).catch(() => assert.fail(`nothing shown: ${complaints.join("\n")}`));
    const text = await output.textContent();
    assert.deepEqual(complaints, [], text);
    return JSON.parse(text);
  } finally {
    await context.close();
  }
}

/** As {@link shown}, of a folder that is served under the policy. */
async function shownUnderPolicy(folder, { policy = CSP, routes } = {}) {
  const server = await serve(folder, { headers: { "content-security-policy": policy, "x-content-type-options": "nosniff" }, routes });
  try {
    return await shown(server.origin);
  } finally {
    await server.close();
  }
}

async function viteBuild(entry) {
  const root = program(entry);
  await buildWithVite({ root, configFile: false, logLevel: "error", base: "./", worker: { format: "es" }, build: { modulePreload: { polyfill: false } } });
  return served(join(root, "dist"));
}

/** Webpack as it is without a configuration, but for where things lie; its workers load chunks, which need its policy. */
async function webpackBuild(entry) {
  const context = program(entry);
  const path = served(join(context, "out"), '<script defer src="./main.js"></script>');
  const stats = await new Promise((resolve, reject) => {
    const done = (error, result) => (error ? reject(error) : resolve(result));
    webpack({ mode: "production", context, entry: `./${entry}`, output: { path, trustedTypes: true } }, done);
  });
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
  // It advises against files of this size; that one is the package's module.
  const own = warnings.filter(({ message }) => !/size limit|performance recommendations|code splitting/.test(message));
  assert.deepEqual([errors, own], [[], []]);
  return path;
}

for (const entry of ["main.js", "own-worker.js", "client.js"]) {
  test(`Vite builds ${entry}`, async () => {
    assert.deepEqual(await shownUnderPolicy(await viteBuild(entry)), SIGNED);
  });

  test(`webpack builds ${entry}`, async () => {
    assert.deepEqual(await shownUnderPolicy(await webpackBuild(entry)), SIGNED);
  });
}

for (const entry of ["main.js", "own-worker.js", "client.js"]) {
  test(`Vite's development server serves ${entry}`, async () => {
    const root = served(program(entry));
    const server = await serveWithVite({
      root,
      configFile: false,
      logLevel: "error",
      cacheDir: join(root, ".vite"),
      server: { host: "127.0.0.1", port: 0, fs: { allow: [user.folder] } },
    });
    try {
      await server.listen();
      const { port } = server.httpServer.address();
      assert.deepEqual(await shown(`http://127.0.0.1:${port}`), SIGNED);
    } finally {
      await server.close();
    }
  });
}

test("Vite loads the smaller module by its address", async () => {
  assert.deepEqual(await shownUnderPolicy(await viteBuild("smaller.js")), { solana: SIGNED.solana });
});

test("a classic script of esbuild's holds the module's bytes and loads them at once", async () => {
  const root = program("binary.js");
  const out = served(join(root, "out"), '<script defer src="./binary.js"></script>');
  const { warnings } = await bundleWithEsbuild({
    absWorkingDir: root,
    entryPoints: ["binary.js"],
    bundle: true,
    format: "iife",
    platform: "browser",
    loader: { ".wasm": "binary" },
    outdir: out,
    logLevel: "silent",
  });
  assert.deepEqual(warnings, []);
  assert.deepEqual(await shownUnderPolicy(out), SIGNED);
});

/** The package's own files, as a page without a bundler serves them. */
function plain(entry) {
  const folder = served(program(entry));
  cpSync(join(user.folder, "node_modules"), join(folder, "node_modules"), { recursive: true });
  return folder;
}

test("a module script imports it by its path", async () => {
  assert.deepEqual(await shownUnderPolicy(plain("relative.js")), SIGNED);
});

/** An import map for the package's entries. */
const MAP = JSON.stringify({ imports: { keyward: "./node_modules/keyward/dist/index.js", "keyward/client": "./node_modules/keyward/dist/client.js" } });

test("a module script imports it by its name through an import map, which the policy names by its hash", async () => {
  const folder = plain("main.js");
  const page = readFileSync(join(folder, "index.html"), "utf8");
  writeFileSync(join(folder, "index.html"), page.replace("<output>", `<script type="importmap">${MAP}</script><output>`));
  const hash = createHash("sha256").update(MAP).digest("base64");
  const policy = CSP.replace("script-src 'self'", `script-src 'self' 'sha256-${hash}'`);
  assert.deepEqual(await shownUnderPolicy(folder, { policy }), SIGNED);
});

test("a module worker without a bundler", async () => {
  const folder = plain("own-worker.js");
  const script = readFileSync(join(folder, "in-worker.js"), "utf8");
  writeFileSync(join(folder, "in-worker.js"), script.replace('"keyward"', '"./node_modules/keyward/dist/index.js"'));
  assert.deepEqual(await shownUnderPolicy(folder), SIGNED);
});

test("a policy without 'wasm-unsafe-eval' gives the error that says so", async () => {
  const server = await serve(plain("relative.js"), {
    headers: { "content-security-policy": CSP.replace(" 'wasm-unsafe-eval'", "") },
  });
  const page = await browser.newPage();
  try {
    await page.goto(`${server.origin}/`);
    const output = page.locator("output:not(:empty)");
    await output.waitFor({ state: "attached", timeout: PATIENCE_MS });
    const { error } = JSON.parse(await output.textContent());
    assert.match(error, /KeywardError: the WebAssembly module could not be loaded; check .* the page's policy/);
  } finally {
    await page.close();
    await server.close();
  }
});
