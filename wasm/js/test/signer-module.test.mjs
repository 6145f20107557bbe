// The smaller module under the same classes: opens, reads, judges and signs on Solana; says of the rest that it is not in it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as keyward from "../dist/index.js";

const fixture = (name) => new Uint8Array(readFileSync(new URL(`../../tests/fixtures/${name}`, import.meta.url)));
const expected = JSON.parse(new TextDecoder().decode(fixture("native.json")));
const utf8 = (text) => new TextEncoder().encode(text);
const unhex = (digits) => new Uint8Array(Buffer.from(digits, "hex"));
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const absent = { name: "KeywardError", code: "not-built-in" };
const opened = (name) => keyward.openVault(fixture(name), utf8(expected.password));

keyward.initSync(readFileSync(new URL("../dist/glue/signer_bg.wasm", import.meta.url)));

test("the signer's module signs as the whole one", async () => {
  const vault = await opened("native.keyward");
  const own = expected.solana;
  // The vault's EVM wallet is not offered.
  assert.deepEqual(vault.wallets().map((wallet) => wallet.address), [own.address, expected.imported]);
  for (const which of [undefined, own.address]) {
    const signer = vault.solana(which);
    assert.equal(signer.address, own.address);
    assert.equal(hex(signer.signMessage(utf8(expected.text))), own.signature);
    for (const { unsigned, signed } of [...own.transactions, own.version1]) {
      assert.equal(hex(await signer.signTransactionBytes(unhex(unsigned))), signed);
      assert.ok((await signer.inspect(unhex(unsigned))).sentences.length > 0);
    }
    signer.free();
  }
  vault.free();
});

test("the signer's module holds the policy of the file, and refuses messages that are transactions", async () => {
  const vault = await opened("policy.keyward");
  assert.equal(vault.authority, "vault");
  const signer = vault.solana();
  const [legacy, , large] = expected.solana.transactions;
  assert.equal(hex(await signer.signTransactionBytes(unhex(legacy.unsigned))), legacy.signed);
  await assert.rejects(signer.signTransactionBytes(unhex(large.unsigned)), (error) => error.code === "refused" && error.reasons[0].code === "over-limit");
  assert.throws(() => signer.signMessage(unhex(legacy.message)), { code: "refused" });
  vault.lock();
  assert.throws(() => signer.signMessage(utf8("hello")), { code: "locked" });
  vault.free();
});

test("what is not in the signer's module says so, and the module goes on", async () => {
  const vault = await opened("native.keyward");
  assert.throws(() => keyward.generateMnemonic(), absent);
  assert.throws(() => vault.accounts(), absent);
  assert.throws(() => vault.solana("m/44'/501'/1'/0'"), absent);
  assert.throws(() => vault.evm(), absent);
  assert.throws(() => vault.importKey(new Uint8Array(32).fill(7), { format: "raw" }), absent);
  assert.throws(() => vault.export(), absent);
  await assert.rejects(keyward.createVault(utf8(expected.password)), absent);
  await assert.rejects(vault.changePassword(utf8(expected.password), utf8("a new one altogether")), absent);
  assert.throws(() => vault.solana(expected.evm.address), { code: "address" });
  assert.equal(hex(vault.solana().signMessage(utf8(expected.text))), expected.solana.signature);
  await assert.rejects(keyward.openVault(fixture("native.keyward"), utf8("not the password")), { code: "refused-to-open" });
  vault.free();
});
