// The packed package in Node, and imported where there is nothing of a page (server-side rendering).
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { expected, fixture, installPacked } from "../tests/support/package.mjs";

const SIGNED = { solana: [...Buffer.from(expected.solana.signature, "hex")], evm: expected.evm.signature };
let user;

before(() => {
  user = installPacked();
  cpSync(fileURLToPath(new URL("apps", import.meta.url)), user.folder, { recursive: true });
  copyFileSync(fixture("native.keyward"), join(user.folder, "native.keyward"));
});

after(() => user?.remove());

function run(...arguments_) {
  const { status, stdout, stderr } = spawnSync(process.execPath, arguments_, { cwd: user.folder, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

test("Node imports it and reads the module from the disk", () => {
  assert.deepEqual(run("node.mjs"), SIGNED);
});

test("Node requires it, where it can require ESM", (context) => {
  if (process.features.require_module !== true) {
    context.skip(`Node ${process.version} cannot require ESM; 20.19, 22.12 and later can`);
    return;
  }
  assert.deepEqual(run("node.cjs"), SIGNED);
});

test("importing any entry touches nothing and leaves nothing", () => {
  const manifest = JSON.parse(readFileSync(join(user.folder, "node_modules/keyward/package.json"), "utf8"));
  const names = Object.keys(manifest.exports).filter((name) => manifest.exports[name].types !== undefined);
  const entries = names.map((name) => `keyward${name.slice(1)}`);
  const { exported, touched, left } = run("--experimental-vm-modules", "bare.mjs", ...entries);
  assert.deepEqual([touched, left], [[], []]);
  assert.deepEqual(Object.keys(exported), entries);
  assert.ok(Object.values(exported).every((count) => count > 0), JSON.stringify(exported));
});
