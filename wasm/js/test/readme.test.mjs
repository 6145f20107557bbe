// The README tells the truth: its programs compile, and its tables of codes are those of the sources.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const source = (path) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

/** What the examples take as given. */
const GIVEN = `
import type { Transaction } from "@solana/kit";
import type { SolanaSigner, Vault } from "keyward";
import type { Confirmation } from "keyward/wallet-standard";
import type { EvmConfirmation } from "keyward/eip6963";
import type { PageLike } from "keyward/testing";

declare global {
  const password: Uint8Array;
  const phrase: Uint8Array;
  const file: Uint8Array;
  const wireBytes: Uint8Array;
  const transaction: Transaction;
  const vault: Vault;
  const signer: SolanaSigner;
  const page: PageLike & { goto(url: string): Promise<void> };
  const trustedTypes: { createPolicy(name: string, rules: { createScriptURL: (url: string) => string | undefined }): void };
  function confirmed(sentences: readonly string[]): Promise<boolean>;
  function contentsOf(tables: readonly string[]): Promise<Record<string, readonly string[]>>;
  function unlockedVault(): Promise<Vault>;
  function asked(request: Confirmation | EvmConfirmation): Promise<boolean>;
}
`;

/** What bundlers make of the modules. */
const ASSETS = `
declare module "keyward/keyward.wasm" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*?url" {
  const address: string;
  export default address;
}
`;

test("every example compiles under strict", () => {
  const folder = mkdtempSync(join(tmpdir(), "keyward-readme-"));
  try {
    const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code);
    assert.ok(examples.length >= 8, `${examples.length} examples`);
    examples.forEach((code, at) => writeFileSync(join(folder, `example-${at}.ts`), `${code}\nexport {};\n`));
    writeFileSync(join(folder, "given.ts"), GIVEN);
    writeFileSync(join(folder, "module.d.ts"), ASSETS);
    for (const [name, target] of [["keyward", "."], ["viem", "node_modules/viem"], ["@solana/kit", "node_modules/@solana/kit"]]) {
      const link = join(folder, "node_modules", name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(root, target), link);
    }
    const compilerOptions = {
      target: "ES2022", lib: ["ES2022", "DOM"], types: [], module: "esnext", moduleResolution: "bundler", strict: true,
      exactOptionalPropertyTypes: true, noImplicitAny: true, skipLibCheck: true, noEmit: true,
    };
    writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const { stdout } = spawnSync(process.execPath, [compiler, "-p", folder, "--pretty", "false"], { encoding: "utf8" });
    assert.equal(stdout, "");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** The codes of a table's first column, in the order in which they stand there. */
function tabled(title) {
  const after = readme.slice(readme.indexOf(title));
  const [, rows] = /\n(\|.*?)\n\n/s.exec(after);
  const cells = rows.split("\n").slice(2).map((row) => row.split("|")[1].replace(/\(.*?\)/g, ""));
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code));
}

/** The body of a Rust function. */
function rustFunction(text, name) {
  const start = text.indexOf(`fn ${name}(`);
  assert.ok(start >= 0, name);
  const body = text.slice(start);
  return body.slice(0, /\n( {4})?}\n/.exec(body).index);
}

const arms = (body) => [...body.matchAll(/"([a-z0-9-]+)"/g)].map(([, code]) => code);
const sorted = (codes) => [...new Set(codes)].sort();

/** Every TypeScript source of the package, the glue excluded. */
function scripts() {
  const folder = join(root, "src");
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith(".ts") && !file.startsWith("glue"));
  assert.ok(files.length >= 10);
  return files.map((file) => readFileSync(join(folder, file), "utf8"));
}

test("the table of codes is complete, and names none that there is not", () => {
  const failure = source("wasm/src/failure.rs");
  const core = ["code", "phrase_code", "keyfile_code"].flatMap((name) => arms(rustFunction(failure, name)));
  assert.ok(core.length > 40);
  // As KeywardError, or beside the number of a provider's error.
  const made = /new KeywardError\(\s*"([^"]+)"|\bfailure\("[a-zA-Z]+", "([^"]+)"/g;
  const facade = scripts().flatMap((text) => [...text.matchAll(made)].map(([, own, beside]) => own ?? beside));
  const listed = tabled("## Errors");
  assert.deepEqual(sorted(listed), sorted([...core, ...facade]));
  assert.equal(listed.length, new Set(listed).size, "none twice");
  for (const text of scripts()) {
    const made = [...text.matchAll(/new KeywardError\(\s*([^"\s][^,]*),/g)].map(([, code]) => code);
    assert.deepEqual(made.filter((code) => !/^(code|error\.code)$/.test(code)), [], "codes are written where errors are made, or handed on");
  }
});

test("the table of a provider's numbers is complete", () => {
  const errors = readFileSync(join(root, "src/eip6963/errors.ts"), "utf8");
  const [, body] = /const CODES = \{(.*?)\}/s.exec(errors);
  const numbers = [...body.matchAll(/: (-?\d+)/g)].map(([, number]) => number);
  assert.ok(numbers.length >= 8);
  assert.deepEqual(sorted(tabled("A provider of `keyward/eip6963`")), sorted(numbers));
});

test("the table of reasons is the core's", () => {
  const reasons = arms(rustFunction(source("core/src/policy/refusal.rs"), "code"));
  const listed = tabled("The `reasons` of `refused`");
  assert.deepEqual(sorted(listed), sorted(reasons));
  assert.equal(listed.length, new Set(listed).size, "none twice");
});

test("every entry is told of", () => {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const name of Object.keys(exports).filter((name) => name !== "./package.json")) {
    assert.ok(readme.includes(`\`keyward${name.slice(1)}\``), name);
  }
});
