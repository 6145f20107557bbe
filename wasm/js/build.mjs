// What tsc leaves to do: bundles the script that `keyward/testing` puts into pages. Run it after tsc.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

const { outputFiles } = await build({
  entryPoints: [at("dist/testing/page/main.js")],
  bundle: true,
  format: "iife",
  target: "es2022",
  legalComments: "none",
  write: false,
});
const [script] = outputFiles;
writeFileSync(at("dist/testing/page.js"), script.contents);
// A page's parts, which nobody imports once they are bundled.
rmSync(at("dist/testing/page"), { recursive: true });
const text = readFileSync(at("dist/testing/page.js"), "utf8");
if (/WebAssembly|\beval\(|new Function/.test(text)) {
  throw new Error("the script for pages must need neither WebAssembly nor eval: a dapp's policy may forbid both");
}
