// The built package as a program in Node uses it.
import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as keyward from "../dist/index.js";

const fixture = (name) => new Uint8Array(readFileSync(new URL(`../../tests/fixtures/${name}`, import.meta.url)));
const expected = JSON.parse(new TextDecoder().decode(fixture("native.json")));
const mail = JSON.parse(new TextDecoder().decode(fixture("mail.json")));

const utf8 = (text) => new TextEncoder().encode(text);
const unhex = (digits) => new Uint8Array(Buffer.from(digits.replace(/^0x/, ""), "hex"));
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const code = (wanted) => (error) => {
  assert.ok(error instanceof keyward.KeywardError && error instanceof Error, String(error));
  assert.equal(error.code, wanted);
  return true;
};
const password = () => utf8(expected.password);
const opened = (name = "native.keyward") => keyward.openVault(fixture(name), password());
/** The least key stretching, so that the tests do not take minutes. */
const kdf = "scrypt-16384";

test("nothing works before init, which may then be called twice", async () => {
  assert.throws(() => keyward.version(), code("not-initialized"));
  assert.throws(() => keyward.initSync(new Uint8Array([0, 1, 2])), code("initialization"));
  await assert.rejects(keyward.init(new Uint8Array([0, 1, 2])), code("initialization"));
  await Promise.all([keyward.init(), keyward.init()]);
  await keyward.init();
  keyward.initSync(new Uint8Array());
  assert.equal(keyward.version(), JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version);
});

test("phrases", () => {
  const phrase = keyward.generateMnemonic();
  assert.ok(phrase instanceof Uint8Array);
  assert.deepEqual(keyward.validateMnemonic(phrase), { valid: true, words: 24 });
  assert.throws(() => keyward.generateMnemonic(13), code("phrase-word-count"));
  const unknown = keyward.validateMnemonic(utf8(expected.phrase.replace("junk", "canarysecret")));
  assert.equal(unknown.valid, false);
  assert.equal(unknown.code, "phrase-unknown-word");
  assert.equal(unknown.position, 12);
  assert.ok(!unknown.message.includes("canary"));
  assert.throws(() => keyward.validateMnemonic(expected.phrase), code("argument"));
});

test("a vault made natively opens and signs alike", async () => {
  const vault = await opened();
  assert.equal(vault.id, expected.vault);
  assert.equal(vault.authority, "page");
  assert.deepEqual(keyward.describeVault(fixture("native.keyward")), { id: expected.vault, needsSecondFactor: false });
  const addresses = vault.wallets().map((wallet) => wallet.address);
  assert.deepEqual(addresses, [expected.solana.address, expected.evm.address, expected.imported]);
  assert.equal(vault.accounts()[0].address, expected.solana.address);
  assert.equal(vault.accounts({ family: "evm-bip44", count: 2 })[0].address, expected.evm.address);

  const solana = vault.solana();
  assert.equal(solana.address, expected.solana.address);
  assert.equal(solana.path, expected.solana.path);
  assert.equal(hex(solana.signMessage(utf8(expected.text))), expected.solana.signature);
  const key = createPublicKey({
    key: Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), solana.publicKey]),
    format: "der",
    type: "spki",
  });
  assert.ok(verify(null, utf8(expected.text), key, solana.signMessage(utf8(expected.text))));
  const [dictionary] = await solana.signMessages([{ content: utf8(expected.text), signatures: {} }]);
  assert.equal(hex(dictionary[solana.address]), expected.solana.signature);
  const batch = expected.solana.transactions.map((own) => ({ messageBytes: unhex(own.message), signatures: {} }));
  const signatures = await solana.signTransactions(batch);
  assert.deepEqual(
    signatures.map((own) => hex(own[solana.address])),
    expected.solana.transactions.map((own) => own.signature),
  );
  for (const own of expected.solana.transactions) {
    assert.equal(hex(await solana.signTransactionBytes(unhex(own.unsigned))), own.signed);
  }

  const evm = vault.evm();
  assert.equal(evm.address, expected.evm.address);
  assert.equal(await evm.signMessage(expected.text), expected.evm.signature);
  assert.equal(await evm.signMessage({ raw: utf8(expected.text) }), expected.evm.signature);
  assert.equal(await evm.signTypedData(JSON.stringify(mail)), expected.evm.typedData);
  const { EIP712Domain: _, ...types } = mail.types;
  const loose = { ...mail, types, domain: { ...mail.domain, chainId: 1n } };
  assert.equal(await evm.signTypedData(loose), expected.evm.typedData);
  assert.equal(await evm.signTransaction(expected.evm.unsigned), expected.evm.signed);
  vault.free();
});

test("what is about to be signed can be read first", async () => {
  const vault = await opened("policy.keyward");
  assert.equal(vault.authority, "vault");
  const solana = vault.solana();
  const [small, , large] = expected.solana.transactions;
  const review = await solana.inspect(unhex(small.unsigned));
  assert.equal(review.kind, "transaction");
  assert.equal(review.feePayer, solana.address);
  assert.equal(review.actions[0].type, "sol-transfer");
  assert.equal(review.actions[0].lamports, "5");
  assert.deepEqual(review.verdict, { authority: "vault", allowed: true, refusals: [] });
  assert.equal((await solana.inspect(unhex(small.signed))).signatures[0].state, "valid");
  const refused = await solana.inspect(unhex(large.message));
  assert.equal(refused.verdict.allowed, false);
  assert.equal(refused.verdict.refusals[0].code, "over-limit");
  await assert.rejects(solana.signTransactionBytes(unhex(large.unsigned)), (error) => {
    code("refused")(error);
    assert.deepEqual(error.reasons.map((reason) => reason.code), ["over-limit"]);
    return true;
  });
  // One refused transaction refuses its batch.
  const batch = [small, large].map((own) => ({ messageBytes: unhex(own.message), signatures: {} }));
  await assert.rejects(solana.signTransactions(batch), code("refused"));
  assert.equal(solana.inspectMessage(utf8("hello")).kind, "text");
  assert.throws(() => solana.signMessage(unhex(small.message)), code("refused"));
  const evm = vault.evm();
  assert.equal(evm.inspect(expected.evm.unsigned).valueWei, "1000000000000000000");
  await assert.rejects(evm.signTransaction(expected.evm.unsigned), code("refused"));
  assert.equal(evm.inspectTypedData(mail).primaryType, "Mail");
  vault.free();
});

test("a vault is made, changed, exported and opened again", async () => {
  const phrase = utf8(expected.phrase);
  const vault = await keyward.createVault(password(), { phrase, kdf });
  const [imported] = keyward.importKey(vault, utf8(JSON.stringify(Array(32).fill(5))), { chain: "solana", label: "mine" });
  assert.equal(imported.label, "mine");
  const before = keyward.exportVault(vault);
  await assert.rejects(vault.changePassword(utf8("not the password"), utf8("another password")), code("refused-to-open"));
  await vault.changePassword(password(), utf8("another password"), { kdf });
  const after = vault.export();
  vault.free();
  await assert.rejects(keyward.openVault(after, password()), code("refused-to-open"));
  (await keyward.openVault(before, password())).free();
  const back = await keyward.openVault(after, utf8("another password"));
  assert.equal(back.solana(imported.address).address, imported.address);
  assert.equal(back.evm().address, expected.evm.address);
  back.free();
});

test("mistakes are KeywardErrors with codes", async () => {
  await assert.rejects(keyward.openVault(fixture("native.keyward"), "text"), code("argument"));
  await assert.rejects(keyward.openVault(fixture("native.keyward"), utf8("wrong")), code("refused-to-open"));
  await assert.rejects(keyward.openVault(utf8("nothing"), password()), code("not-a-vault-file"));
  await assert.rejects(keyward.createVault(utf8("short")), code("password-too-short"));
  const vault = await opened();
  assert.throws(() => vault.solana("m/44'/501'/0"), code("derivation"));
  assert.throws(() => vault.solana(expected.evm.address), code("other-chain"));
  assert.throws(() => vault.accounts({ start: -1 }), code("number"));
  await assert.rejects(vault.evm().signTransaction("0xabc"), code("argument"));
  vault.free();
});

test("an abort is seen before and after the key stretching", async () => {
  const early = AbortSignal.abort("no longer wanted");
  await assert.rejects(keyward.openVault(fixture("native.keyward"), password(), { signal: early }), (error) => {
    code("aborted")(error);
    assert.equal(error.cause, "no longer wanted");
    return true;
  });
  const controller = new AbortController();
  const opening = keyward.openVault(fixture("native.keyward"), password(), { signal: controller.signal });
  controller.abort();
  await assert.rejects(opening, code("aborted"));
});

test("what was freed or locked throws", async () => {
  const vault = await opened();
  const solana = vault.solana();
  const freed = vault.solana();
  freed.free();
  freed.free();
  assert.throws(() => freed.signMessage(utf8("hello")), code("freed"));
  assert.ok(solana.signMessage(utf8("hello")));
  vault.lock();
  assert.equal(vault.isLocked, true);
  assert.throws(() => solana.signMessage(utf8("hello")), code("locked"));
  assert.throws(() => vault.export(), code("locked"));
  vault.free();
  assert.throws(() => vault.wallets(), code("freed"));
  if (typeof Symbol.dispose === "symbol") {
    const disposed = await opened();
    disposed[Symbol.dispose]();
    assert.throws(() => disposed.wallets(), code("freed"));
  }
});
