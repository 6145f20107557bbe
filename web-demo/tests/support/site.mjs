// The built page, served as its headers want it, and a browser context that notes every complaint.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build, preview } from "vite";

import { PATIENCE_MS, watch } from "./browser.mjs";
import { CSP } from "./csp.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Builds the page and serves it on 127.0.0.1; `close` ends the server and removes the build. */
export async function startSite() {
  const outDir = mkdtempSync(join(tmpdir(), "keyward-page-"));
  const shared = { root: ROOT, configFile: join(ROOT, "vite.config.ts"), logLevel: "error" };
  await build({ ...shared, build: { outDir, emptyOutDir: true } });
  const server = await preview({ ...shared, build: { outDir }, preview: { host: "127.0.0.1", port: 0, open: false } });
  const origin = `http://127.0.0.1:${server.httpServer.address().port}`;
  const close = async () => {
    await server.close();
    rmSync(outDir, { recursive: true, maxRetries: 3 });
  };
  return { origin, outDir, close };
}

/**
 * Runs `work` with the page in a new context of the browser, and then holds it to its promises: the policy's header is
 * there and was never violated, nothing was logged, nothing beyond the origin was asked for.
 */
export async function visit(browser, site, work, options = {}) {
  const context = await browser.newContext({ acceptDownloads: true, viewport: { width: 1280, height: 900 }, ...options });
  try {
    await inContext(context, site, work);
  } finally {
    await context.close();
  }
}

/** As {@link visit}, in a context of the caller's. */
export async function inContext(context, site, work) {
  context.setDefaultTimeout(PATIENCE_MS);
  const complaints = await watch(context, site.origin);
  const page = await context.newPage();
  const response = await page.goto(`${site.origin}/`, { timeout: PATIENCE_MS });
  assert.equal(response.headers()["content-security-policy"], CSP);
  // Waiting for what cannot come any more would only take its time.
  const broken = new Promise((_, reject) => context.on("weberror", (error) => reject(new Error(`uncaught in the page: ${error.error()}`))));
  try {
    await Promise.race([work(page, complaints), broken]);
  } catch (error) {
    error.message += complaints.length > 0 ? `\nThe browser complained: ${complaints.join("\n")}` : "";
    await screenshot(page, "failure");
    throw error;
  }
  assert.deepEqual(complaints, []);
}

let pictures = 0;

/** Takes a picture into the folder that `KEYWARD_TEST_SCREENSHOTS` names, if it names one. */
export async function screenshot(page, name) {
  const folder = process.env["KEYWARD_TEST_SCREENSHOTS"];
  if (folder !== undefined) {
    pictures += 1;
    await page.screenshot({ path: join(folder, `${process.pid}-${String(pictures).padStart(3, "0")}-${name}.png`) });
  }
}
