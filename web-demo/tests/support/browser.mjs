// The browser that the tests drive, and what nothing in it may do.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";

import { chromium } from "playwright-core";

/** How long a test waits for anything that the page should do: the machine may be busy. */
export const PATIENCE_MS = 60_000;

const CANDIDATES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** How the browser is started: it contacts nothing by itself. */
function settings() {
  const executablePath = process.env["KEYWARD_TEST_CHROMIUM"] ?? CANDIDATES.find((path) => existsSync(path));
  assert.ok(executablePath, "no Chromium found; install it, or name it in KEYWARD_TEST_CHROMIUM");
  const args = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--disable-gpu",
  ];
  return { executablePath, args, timeout: PATIENCE_MS };
}

/** Starts a headless Chromium. The caller closes it. */
export function launch() {
  return chromium.launch(settings());
}

/** A context whose browser keeps its things in this folder, as a person's own does. The caller closes it. */
export function launchWithProfile(folder) {
  return chromium.launchPersistentContext(folder, { ...settings(), viewport: { width: 1280, height: 900 } });
}

/**
 * Watches a context's pages from before their first script. `complaints` grows by every console error or warning,
 * uncaught error, violation of the policy and request beyond `origin`.
 */
export async function watch(context, origin) {
  const complaints = [];
  await context.exposeBinding("keywardTestViolation", (_source, text) => complaints.push(`policy: ${text}`));
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      window.keywardTestViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sample} ${event.sourceFile}:${event.lineNumber}`);
    });
  });
  context.on("console", (message) => {
    if (["error", "warning", "assert"].includes(message.type())) {
      complaints.push(`console ${message.type()}: ${message.text()} (${message.location().url})`);
    }
  });
  context.on("weberror", (error) => complaints.push(`uncaught: ${error.error().stack ?? error.error()}`));
  context.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !/^(data|blob):/.test(url)) {
      complaints.push(`request beyond the origin: ${url}`);
    }
  });
  context.on("response", (response) => {
    if (response.status() >= 400) {
      complaints.push(`status ${response.status()}: ${response.url()}`);
    }
  });
  return complaints;
}
