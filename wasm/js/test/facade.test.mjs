// What the TypeScript half takes from callers: arrays that they wipe, arguments of wrong types, options that are not theirs.
import assert from "node:assert/strict";
import { before, test } from "node:test";

import * as keyward from "../dist/index.js";

const utf8 = (text) => new TextEncoder().encode(text);
const code = (wanted) => (error) => {
  assert.ok(error instanceof keyward.KeywardError, String(error));
  assert.equal(error.code, wanted);
  return true;
};
const words = "a password of its own";
const other = "and another password";
const phrase = "test test test test test test test test test test test junk";
const factor = "5a".repeat(32);
/** The least key stretching, so that the tests do not take minutes. */
const kdf = "scrypt-16384";
const created = (options = {}) => keyward.createVault(utf8(words), { kdf, ...options });

before(() => keyward.init());

/** Calls with arrays that are wiped before anything that the call waits for can happen; Node's `Buffer`s too. */
async function wiped(work, ...texts) {
  for (const kind of [utf8, (text) => Buffer.from(text)]) {
    const arrays = texts.map((text) => (typeof text === "string" ? kind(text) : kind === utf8 ? text.slice() : Buffer.from(text)));
    const done = work(...arrays);
    for (const array of arrays) {
      array.fill(0);
    }
    await done;
  }
}

test("what a caller wipes has been read", async () => {
  let vault;
  const make = async (password, given, passphrase, secondFactor) => {
    vault = await keyward.createVault(password, { phrase: given, passphrase, secondFactor, kdf });
  };
  await wiped(make, words, phrase, "a passphrase", factor);
  const expected = await created({ phrase: utf8(phrase), passphrase: utf8("a passphrase") });
  assert.deepEqual(vault.wallets(), expected.wallets());

  const open = async (file, password, secondFactor) => {
    const again = await keyward.openVault(file, password, { secondFactor });
    assert.deepEqual(again.wallets(), vault.wallets());
  };
  await wiped(open, vault.export(), words, factor);

  let [from, to] = [words, other];
  const change = async (current, next, secondFactor) => {
    await vault.changePassword(current, next, { secondFactor, kdf });
  };
  for (let round = 0; round < 2; round += 1) {
    const arrays = [utf8(from), Buffer.from(to), utf8(factor)];
    const done = change(...arrays);
    for (const array of arrays) {
      array.fill(0);
    }
    await done;
    await open(vault.export(), utf8(to), utf8(factor));
    [from, to] = [to, from];
  }
  // No recovery key, for another reason than the NULs that it was made into.
  const file = vault.export();
  const key = new Uint8Array(8).fill(0xff);
  const recovered = keyward.openVaultWithRecovery(file, key);
  key.fill(0);
  await assert.rejects(recovered, code("not-utf8"));
  await assert.rejects(keyward.openVaultWithRecovery(file, key), code("recovery-key"));
});

test("the arrays of a caller stay as they are", async () => {
  const [password, given] = [utf8(words), utf8(phrase)];
  const vault = await keyward.createVault(password, { phrase: given, kdf });
  const file = vault.export();
  const copy = file.slice();
  await keyward.openVault(file, password);
  assert.deepEqual([password, given, file], [utf8(words), utf8(phrase), copy]);
});

test("no new password has a NUL, which nobody can type", async () => {
  await assert.rejects(keyward.createVault(new Uint8Array(20), { kdf }), code("password-character"));
  const vault = await created();
  await assert.rejects(vault.changePassword(utf8(words), utf8(`${other}\0`), { kdf }), code("password-character"));
  await vault.changePassword(utf8(words), utf8(other), { kdf });
});

test("an address that begins with m is an address", async () => {
  const vault = await created();
  // The seed is 3351 in little-endian: the first number whose address begins so.
  const seed = Buffer.alloc(32);
  seed.writeUInt32LE(3351);
  const publicKey = Buffer.from("0b62e214f8f4bd2b96a1acd8494fa2fc242718c01a70522043b89af4694032d0", "hex");
  const address = "mSwNUhtEY6CJX7ue6g145rFPXHNst6poSwaxNKvuAzs";
  vault.importKey(utf8(JSON.stringify([...seed, ...publicKey])));
  assert.equal(vault.solana(address).address, address);
  assert.throws(() => vault.solana("m/1'/x"), code("path"));
});

test("a sign-in is not signed in an off-chain message", async () => {
  const signer = (await created({ phrase: utf8(phrase) })).solana();
  const signIn = `bank.test wants you to sign in with your Solana account:\n${signer.address}\n\nHello\n\nURI: https://bank.test`;
  const domain = [0xff, ...utf8("solana offchain")];
  const length = (text) => [text.length & 255, text.length >> 8];
  for (const own of [signIn, signIn.replace("URI", "URL"), "I own this wallet"]) {
    const text = utf8(own);
    const version0 = [...domain, 0, ...new Uint8Array(32), 1, 1, ...signer.publicKey, ...length(text), ...text];
    const short = [...domain, 0, 1, ...length(text), ...text];
    const version1 = [...domain, 1, 1, ...signer.publicKey, ...text];
    for (const message of [version0, short, version1].map((bytes) => Uint8Array.from(bytes))) {
      if (own === "I own this wallet") {
        assert.equal(signer.signMessage(message).length, 64);
        continue;
      }
      const refused = (error) => code("refused")(error) && error.reasons[0].code === "sign-in-unchecked";
      assert.throws(() => signer.signMessage(message), refused);
      assert.equal(signer.inspectMessage(message).verdict.allowed, false);
    }
  }
});

test("arguments of other types are refused before the module sees them", async () => {
  const vault = await created({ phrase: utf8(phrase) });
  const [solana, evm] = [vault.solana(), vault.evm()];
  const key = utf8("[1]");
  for (const wrong of [5, null, {}, Symbol("s"), 5n, ["m/44'"]]) {
    const calls = [
      () => vault.solana(wrong),
      () => vault.evm(wrong),
      () => vault.accounts({ family: wrong }),
      () => vault.importKey(key, { format: wrong }),
      () => vault.importKey(key, { chain: wrong }),
      () => vault.importKey(key, { label: wrong }),
      () => vault.importKey(wrong),
      () => solana.signMessage(wrong),
      () => solana.lookupTables(wrong),
      () => evm.inspectMessage(wrong),
      () => evm.inspect(wrong),
    ];
    for (const call of calls) {
      assert.throws(call, code("argument"), String(call));
    }
    await assert.rejects(created({ kdf: wrong }), code("argument"));
    await assert.rejects(keyward.createVault(wrong), code("argument"));
    await assert.rejects(vault.changePassword(utf8(words), utf8(other), { kdf: wrong }), code("argument"));
  }
  for (const wrong of ["1", {}, 5n, Symbol("s")]) {
    assert.throws(() => vault.accounts({ start: wrong }), code("argument"));
    assert.throws(() => vault.accounts({ count: wrong }), code("argument"));
    assert.throws(() => keyward.generateMnemonic(wrong), code("argument"));
  }
  assert.throws(() => vault.accounts({ count: Number.NaN }), code("number"));
  assert.throws(() => vault.solana("", null), code("argument"));
  assert.throws(() => evm.inspectTypedData({ toJSON: () => undefined }), code("argument"));
  for (const document of [null, undefined, 5]) {
    assert.throws(() => evm.inspectTypedData(document), keyward.KeywardError);
  }
  // Nothing of it stopped the module.
  assert.equal(vault.isLocked, false);
  assert.equal(solana.signMessage(utf8("hello")).length, 64);
});

test("options that something put on Object.prototype are nobody's", async () => {
  const plain = await created({ phrase: utf8(phrase) });
  const planted = { secondFactor: utf8("planted"), passphrase: utf8("planted"), family: "evm-bip44", count: 3, kdf: "nonsense", raw: "0x00" };
  Object.assign(Object.prototype, planted);
  let file, accounts, message;
  try {
    const vault = await keyward.createVault(utf8(words), { phrase: utf8(phrase), kdf, __proto__: {} });
    [file, accounts] = [vault.export(), vault.accounts()];
    message = vault.evm().inspectMessage(utf8("hello"));
  } finally {
    for (const name of Object.keys(planted)) {
      delete Object.prototype[name];
    }
  }
  const again = await keyward.openVault(file, utf8(words));
  assert.deepEqual(again.wallets(), plain.wallets());
  assert.deepEqual(accounts, plain.accounts());
  assert.equal(message.text, "hello");
  assert.equal(keyward.describeVault(file).needsSecondFactor, false);
});
