// What a page loads: each of the package's entries as a bundler makes it (minified), with the module it loads, gzipped.
//
//   node sizes.mjs
//
// Prints `size; what; bytes; aim`.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const dist = (name) => fileURLToPath(new URL(`../dist/${name}`, import.meta.url));
const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;
/** At most so many bytes, gzipped, for a page that opens a vault and signs on Solana. */
const SIGNER_AIM = 120 * 1024;

async function bundled(contents) {
  const built = await build({
    stdin: { contents, resolveDir: dist("."), loader: "js" },
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    write: false,
    logLevel: "error",
  });
  return gzipped(built.outputFiles[0].contents);
}

/** The module's size and that of what a page needs beside it. */
export async function sizes() {
  const found = [];
  const glue = await bundled('export { init, openVault, openVaultWithRecovery } from "./index.js";');
  for (const [what, name, aim] of [
    ["signer.wasm with its JavaScript, gzipped", "glue/signer_bg.wasm", SIGNER_AIM],
    ["keyward.wasm with its JavaScript, gzipped", "glue/keyward_bg.wasm"],
  ]) {
    if (existsSync(dist(name))) {
      found.push({ what, bytes: gzipped(readFileSync(dist(name))) + glue, aim });
    }
  }
  found.push({ what: "  of that, JavaScript", bytes: glue });
  for (const entry of ["client", "worker", "wallet-standard", "eip6963", "testing"]) {
    if (existsSync(dist(`${entry}.js`))) {
      found.push({ what: `  ./${entry} alone, JavaScript`, bytes: await bundled(`export * from "./${entry}.js";`) });
    }
  }
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { what, bytes, aim } of await sizes()) {
    console.log(`size; ${what}; ${bytes}; ${aim ?? "-"}`);
  }
}
