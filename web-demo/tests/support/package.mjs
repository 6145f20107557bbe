// The package as its users get it: packed, and unpacked into a folder of its own.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("../../../wasm/js", import.meta.url));
const FIXTURES = fileURLToPath(new URL("../../../wasm/tests/fixtures", import.meta.url));

/** A temporary folder whose `node_modules/keyward` is the unpacked tarball; `remove` deletes it. */
export function installPacked() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "keyward-user-")));
  const options = { cwd: SOURCE, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] };
  const pack = ["pack", "--json", "--offline", "--ignore-scripts", "--pack-destination", folder];
  const [{ filename }] = JSON.parse(execFileSync("npm", pack, options));
  const target = join(folder, "node_modules/keyward");
  mkdirSync(target, { recursive: true });
  execFileSync("tar", ["-xzf", join(folder, filename), "-C", target, "--strip-components=1"]);
  return { folder, remove: () => rmSync(folder, { recursive: true, maxRetries: 3 }) };
}

/** A fixture that the core made natively; see wasm/tests/fixture.rs. */
export function fixture(name) {
  return join(FIXTURES, name);
}

/** What the fixtures' vault signs, and their password and phrase. */
export const expected = JSON.parse(readFileSync(fixture("native.json"), "utf8"));
