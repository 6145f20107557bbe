// The `keyward` console for tests: a home of its own for each, secrets by files and standard input, never by arguments.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PATIENCE_MS = 120_000;

function binary() {
  const built = [process.env["CARGO_TARGET_DIR"], fileURLToPath(new URL("../../../target", import.meta.url))]
    .filter((folder) => folder !== undefined)
    .map((folder) => join(folder, "debug/keyward"));
  const found = process.env["KEYWARD_TEST_BINARY"] ?? built.find((path) => existsSync(path));
  assert.ok(
    found !== undefined && existsSync(found),
    `the console is missing (${found ?? built.join(", ")}): run \`cargo build -p keyward\`, or name it in KEYWARD_TEST_BINARY`,
  );
  return found;
}

/** A console with a home, and a place for files, of its own. Nothing of the person who runs the tests is seen by it. */
export class Console {
  #program = binary();
  #folder = mkdtempSync(join(tmpdir(), "keyward-console-"));
  #files = 0;
  #environment;

  /** `secondFactor`: what `KEYWARD_ENCRYPTION_KEY` holds, hex or base64. */
  constructor({ secondFactor } = {}) {
    const folders = { HOME: "home", XDG_DATA_HOME: "data", XDG_CONFIG_HOME: "config", XDG_STATE_HOME: "state", XDG_CACHE_HOME: "cache", TMPDIR: "tmp" };
    for (const name of Object.values(folders)) {
      mkdirSync(join(this.#folder, name), { mode: 0o700 });
    }
    const homes = Object.entries(folders).map(([name, folder]) => [name, join(this.#folder, folder)]);
    const second = secondFactor === undefined ? {} : { KEYWARD_ENCRYPTION_KEY: secondFactor };
    this.#environment = { PATH: process.env["PATH"], LANG: "C.UTF-8", TZ: "UTC", ...Object.fromEntries(homes), ...second };
  }

  /** A path that nothing lies at. */
  path() {
    this.#files += 1;
    return join(this.#folder, `file-${this.#files}`);
  }

  /** A private file with these contents. */
  file(contents) {
    const path = this.path();
    writeFileSync(path, contents, { mode: 0o600, flag: "wx" });
    return path;
  }

  /** Runs a command; the password goes to it on the first line of its standard input. Gives its JSON. */
  run(password, ...command) {
    const { status, stdout, stderr } = this.#run(password, command);
    assert.equal(status, 0, `keyward ${command[0]}: ${stderr}`);
    return JSON.parse(stdout);
  }

  /** As {@link Console.run}, of a command that fails: its exit code, its error's code, and those of the reasons. */
  fail(password, ...command) {
    const { status, stdout, stderr } = this.#run(password, command);
    assert.notEqual(status, 0, stdout);
    const { code, reasons = [] } = JSON.parse(stderr).error;
    return { status, code, reasons: reasons.map((reason) => reason.code) };
  }

  /** The whole vault as a `.keyward` file. */
  export(password) {
    const out = this.path();
    this.run(password, "vault", "export", "--out", out);
    return new Uint8Array(readFileSync(out));
  }

  /** A vault of a `.keyward` file's bytes. */
  import(password, bytes) {
    return this.run(password, "vault", "import", this.file(bytes));
  }

  remove() {
    rmSync(this.#folder, { recursive: true });
  }

  #run(password, command) {
    const { error, ...run } = spawnSync(this.#program, [...command, "--password-file", "-", "--json"], {
      cwd: this.#folder,
      env: this.#environment,
      input: `${password}\n`,
      encoding: "utf8",
      timeout: PATIENCE_MS,
    });
    // A command that is refused at once does not read its standard input.
    assert.ok(error === undefined || (error.code === "EPIPE" && run.status !== null), error);
    return run;
  }
}
