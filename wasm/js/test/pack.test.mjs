// What is published: the files of the tarball, how it resolves, and what its types say to the programs that use it.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { publint } from "publint";
import { formatMessage } from "publint/utils";

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
/** A program that depends on the package: `node_modules/keyward` is the unpacked tarball. */
const user = mkdtempSync(join(tmpdir(), "keyward-pack-"));
const installed = join(user, "node_modules/keyward");
let tarball;
let packed;

before(() => {
  const arguments_ = ["pack", "--json", "--offline", "--ignore-scripts", "--pack-destination", user];
  // An npm script's own settings (`npm_config_json`, workspaces) are not this pack's.
  const [report] = JSON.parse(execFileSync("npm", arguments_, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }));
  tarball = join(user, report.filename);
  packed = report.files.map((file) => file.path).sort();
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", installed, "--strip-components=1"]);
});

after(() => rmSync(user, { recursive: true }));

/** The packed files that a file's relative imports name. */
function imported(file) {
  const declares = file.endsWith(".d.ts");
  const text = readFileSync(join(installed, file), "utf8");
  return [...text.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|new URL\()["'](\.{1,2}\/[^"']+)["']/g)].map(([, path]) => {
    const target = posix.join(posix.dirname(file), path);
    return declares ? target.replace(/\.js$/, ".d.ts") : target;
  });
}

/** Whatever can be reached from the entries by imports and declarations. */
function reachable() {
  const found = new Set();
  const open = Object.values(manifest.exports)
    .flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry)))
    .map((path) => posix.normalize(path));
  while (open.length > 0) {
    const file = open.pop();
    if (found.has(file)) {
      continue;
    }
    assert.ok(packed.includes(file), `${file} is asked for but not packed`);
    found.add(file);
    if (/\.(js|d\.ts)$/.test(file)) {
      open.push(...imported(file));
    }
  }
  return found;
}

test("the tarball holds the modules, their types, two WebAssembly files and what every package has; nothing else", () => {
  const needed = reachable();
  const fixed = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json"];
  // A module of types alone has a `.js` that nobody loads, and an inner one a `.d.ts` that nobody reads: one half suffices.
  const useless = packed.filter((file) => {
    const stem = file.replace(/\.(js|d\.ts)$/, "");
    return !fixed.includes(file) && !needed.has(file) && !needed.has(`${stem}.js`) && !needed.has(`${stem}.d.ts`);
  });
  assert.deepEqual(useless, [], "not reached from any entry");
  const kinds = packed.filter((file) => !fixed.includes(file)).map((file) => /^dist\/.*?(\.d\.ts|\.js|\.wasm)$/.exec(file)?.[1] ?? file);
  assert.deepEqual([...new Set(kinds)].sort(), [".d.ts", ".js", ".wasm"], "no sources, tests, maps or leftovers");
  const glue = ["dist/glue/keyward.js", "dist/glue/keyward_bg.wasm", "dist/glue/signer_bg.wasm"];
  assert.deepEqual(packed.filter((file) => file.startsWith("dist/glue/") || file.endsWith(".wasm")).sort(), glue);
  for (const file of packed) {
    const content = readFileSync(join(installed, file));
    assert.ok(!content.includes("sourceMappingURL"), `${file} names a source map`);
    assert.ok(!/\/(root|home|Users)\/|\/registry\/src\//.test(content.toString("latin1")), `${file} holds a path of the machine that built it`);
  }
});

test("nothing is installed with it, and importing is free of side effects for bundlers", () => {
  for (const kind of ["dependencies", "peerDependencies", "optionalDependencies", "bundleDependencies", "scripts", "main", "module"]) {
    assert.equal(manifest[kind], undefined, kind);
  }
  assert.equal(manifest.type, "module");
  assert.equal(manifest.sideEffects, false);
  const entries = [".", "./worker", "./client", "./wallet-standard", "./eip6963", "./testing", "./keyward.wasm", "./signer.wasm", "./package.json"];
  assert.deepEqual(Object.keys(manifest.exports), entries);
  const named = /^(?:import|export)\b[^"';]*\bfrom\s*["']([^"']+)["']|^import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;
  const asked = packed.filter((file) => file.endsWith(".js")).flatMap((file) => {
    const text = readFileSync(join(installed, file), "utf8");
    return [...text.matchAll(named)].map((found) => `${file}: ${found[1] ?? found[2] ?? found[3]}`);
  });
  assert.ok(asked.length > 20, "the modules' imports are found");
  const bare = asked.filter((line) => !/: \.{1,2}\//.test(line));
  assert.deepEqual(bare, [], "no module asks for another package");
});

test("publint finds nothing", async () => {
  const { messages, pkg } = await publint({ pkgDir: root, pack: "npm", strict: true });
  assert.deepEqual(messages.map((message) => formatMessage(message, pkg)), []);
});

test("attw finds nothing", () => {
  const command = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
  // The package is ESM alone, so resolution without `exports` (node10) and by `require` of a Node that cannot load ESM are
  // not promised: that is what the profile leaves out. The WebAssembly files are assets: what importing one gives, an
  // address or bytes, is its loader's to say. No rule is ignored.
  const assets = ["--exclude-entrypoints", "keyward.wasm", "signer.wasm"];
  const options = ["--profile", "esm-only", ...assets, "--no-definitely-typed", "--config-path", join(user, "none.json")];
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, tarball, "--format", "json", ...options], { encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
  const { analysis, problems } = JSON.parse(stdout);
  const found = Object.values(problems ?? {}).flat();
  assert.deepEqual(found.filter((problem) => !["node10", "node16-cjs"].includes(problem.resolutionKind)), []);
  const seen = Object.keys(analysis.entrypoints).filter((name) => analysis.entrypoints[name].resolutions.bundler.resolution !== undefined);
  assert.deepEqual(seen.sort(), Object.keys(manifest.exports).filter((name) => !name.endsWith(".wasm")).sort());
});

const STRICT = {
  target: "ES2022",
  lib: ["ES2022", "DOM", "DOM.Iterable", "ESNext.Disposable"],
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  verbatimModuleSyntax: true,
  noEmit: true,
};

/** Compiles a program of the package's user; gives what the compiler says. */
function compiled(folder, options) {
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...STRICT, ...options }, include: ["*.ts", "*.mts"] }));
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const { status, stdout, stderr } = spawnSync(process.execPath, [compiler, "-p", folder, "--pretty", "false"], { encoding: "utf8" });
  return { status, text: stdout + stderr };
}

const RESOLUTIONS = [
  { module: "esnext", moduleResolution: "bundler" },
  { module: "node16", moduleResolution: "node16" },
  { module: "nodenext", moduleResolution: "nodenext" },
];

for (const options of RESOLUTIONS) {
  test(`every entry's types compile under strict with ${options.moduleResolution}, nothing skipped`, () => {
    const folder = mkdtempSync(join(user, "entries-"));
    const names = Object.keys(manifest.exports).filter((name) => manifest.exports[name].types !== undefined);
    const lines = names.map((name, at) => `import * as entry${at} from "${posix.join("keyward", name)}";\nexport { entry${at} };`);
    writeFileSync(join(folder, "all.mts"), `${lines.join("\n")}\n`);
    const whole = compiled(folder, { ...options, skipLibCheck: false });
    assert.deepEqual(whole, { status: 0, text: "" });
    // Without the newest library's names as well: `Symbol.dispose` must not be asked of everybody.
    const older = compiled(folder, { ...options, skipLibCheck: false, lib: ["ES2022", "DOM"] });
    assert.deepEqual(older, { status: 0, text: "" });
    writeFileSync(join(folder, "all.mts"), `import { openVault } from "keyward";\nawait openVault(new Uint8Array(), "text");\n`);
    const wrong = compiled(folder, { ...options, skipLibCheck: false });
    assert.match(wrong.text, /TS2345: Argument of type 'string' is not assignable to parameter of type 'Uint8Array/, "the check can fail");
  });

  test(`the signers are what kit, viem and Wallet Standard take, with ${options.moduleResolution}`, () => {
    const folder = mkdtempSync(join(user, "clients-"));
    const programs = fileURLToPath(new URL("types", import.meta.url));
    for (const name of readdirSync(programs).filter((own) => own.endsWith(".ts"))) {
      cpSync(join(programs, name), join(folder, name));
    }
    writeFileSync(join(folder, "package.json"), `{ "type": "module" }\n`);
    linkDependencies();
    // Others' declarations are theirs to compile: viem's do not under `types: []`.
    assert.deepEqual(compiled(folder, { ...options, skipLibCheck: true }), { status: 0, text: "" });
  });
}

/** The development dependencies beside the unpacked package. */
function linkDependencies() {
  for (const name of Object.keys(manifest.devDependencies)) {
    const link = join(user, "node_modules", name);
    if (!existsSync(link)) {
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(root, "node_modules", name), link);
    }
  }
}
