// No secret stays in the module's memory once the vault is locked or a signer freed.
import assert from "node:assert/strict";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as keyward from "../dist/index.js";

// The page's own view of the memory: the instance is caught where it is made.
let memory;
const { Instance } = WebAssembly;
WebAssembly.Instance = function (module, imports) {
  const instance = new Instance(module, imports);
  memory = instance.exports.memory;
  return instance;
};
keyward.initSync(readFileSync(new URL("../dist/glue/keyward_bg.wasm", import.meta.url)));
WebAssembly.Instance = Instance;

const utf8 = (text) => new TextEncoder().encode(text);
const occurrences = (secrets) => {
  const whole = Buffer.from(memory.buffer);
  return Object.entries(secrets)
    .filter(([, bytes]) => whole.indexOf(bytes) >= 0)
    .map(([name]) => name);
};

/** Everything that a phrase, its first Solana key and a password are in memory. */
function secretsOf(phrase, password) {
  const seed = pbkdf2Sync(phrase, "mnemonic", 2048, 64, "sha512");
  const child = (node, index) => {
    const data = Buffer.concat([Buffer.from([0]), node.subarray(0, 32), Buffer.alloc(4)]);
    data.writeUInt32BE(0x80000000 + index, 33);
    return createHmac("sha512", node.subarray(32)).update(data).digest();
  };
  const root = createHmac("sha512", "ed25519 seed").update(seed).digest();
  const node = [44, 501, 0, 0].reduce(child, root);
  const key = node.subarray(0, 32);
  const expanded = createHash("sha512").update(key).digest();
  const scalar = Buffer.from(expanded.subarray(0, 32));
  scalar[0] &= 248;
  scalar[31] = (scalar[31] & 127) | 64;
  return {
    password: Buffer.from(password),
    phrase: Buffer.from(phrase),
    "part of the password": Buffer.from(password).subarray(4, 20),
    "part of the phrase": Buffer.from(phrase).subarray(8, 32),
    seed,
    "half of the seed": seed.subarray(0, 32),
    "root chain code": root.subarray(32),
    key,
    "key in hex": Buffer.from(key.toString("hex")),
    "half of the key": key.subarray(0, 16),
    "the other half of the key": key.subarray(16),
    scalar,
    "half of the scalar": scalar.subarray(8, 24),
    nonce: expanded.subarray(32),
  };
}

test("the search finds a canary, and nothing is left after locking", async () => {
  const password = "canary password of this test";
  const phrase = new TextDecoder().decode(keyward.generateMnemonic());
  const secrets = secretsOf(phrase, password);
  const vault = await keyward.createVault(utf8(password), { phrase: utf8(phrase), kdf: "scrypt-16384" });
  const file = vault.export();
  vault.free();
  assert.deepEqual(occurrences(secrets), [], "after making a vault");

  const opened = await keyward.openVault(file, utf8(password));
  assert.deepEqual(occurrences(secrets), [], "an open vault holds its key, and its records sealed");
  // Labels are no secrets and stay readable while the vault is open: the canaries of the search.
  opened.importKey(utf8(JSON.stringify(Array(32).fill(5))), { chain: "solana", label: password });
  opened.importKey(utf8(JSON.stringify(Array(32).fill(6))), { chain: "solana", label: phrase });
  assert.deepEqual(occurrences(secrets), ["password", "phrase", "part of the password", "part of the phrase"]);
  const freed = opened.solana();
  const kept = opened.solana();
  const evm = opened.evm();
  assert.ok(occurrences(secrets).includes("key"), "the canary: a signer holds its key");
  freed.signMessage(utf8("hello"));
  await evm.signMessage("hello");
  opened.accounts({ count: 20 });
  opened.accounts({ family: "evm-bip44", count: 5 });
  freed.free();
  opened.lock();
  assert.deepEqual(occurrences(secrets), [], "after locking");
  assert.throws(() => kept.signMessage(utf8("hello")));
  opened.free();
  assert.deepEqual(occurrences(secrets), [], "after freeing");
});

test("a freed signer leaves nothing while its vault stays open", async () => {
  const password = "canary password of that test";
  const phrase = new TextDecoder().decode(keyward.generateMnemonic(12));
  const secrets = secretsOf(phrase, password);
  const vault = await keyward.createVault(utf8(password), { phrase: utf8(phrase), kdf: "scrypt-16384" });
  const signer = vault.solana();
  assert.ok(occurrences(secrets).includes("key"), "the canary");
  signer.signMessage(utf8("hello"));
  signer.free();
  assert.deepEqual(occurrences(secrets), []);
  vault.free();
});

test("what was refused leaves nothing either", async () => {
  const password = "canary password of the last test";
  const phrase = new TextDecoder().decode(keyward.generateMnemonic(12));
  const secrets = secretsOf(phrase, password);
  assert.equal(keyward.validateMnemonic(utf8(`${phrase} abandon`)).valid, false);
  assert.equal(keyward.validateMnemonic(utf8(phrase)).valid, true);
  await assert.rejects(keyward.openVault(utf8("no vault"), utf8(password)));
  const vault = await keyward.createVault(utf8("another one altogether"), { kdf: "scrypt-16384" });
  const file = vault.export();
  await assert.rejects(keyward.openVault(file, utf8(password)));
  assert.throws(() => vault.importKey(utf8(`${phrase} abandon`), { format: "phrase" }));
  vault.free();
  assert.deepEqual(occurrences(secrets), []);
});
