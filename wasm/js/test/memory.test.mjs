// No secret stays in the module's memory once the vault is locked or a signer freed.
import assert from "node:assert/strict";
import { createECDH, createPrivateKey, createPublicKey, pbkdf2Sync, randomBytes, scryptSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";

import bs58 from "bs58";
import { Wallet, encryptKeystoreJsonSync } from "ethers";
import { hashMessage } from "viem";
import { privateKeyToAddress } from "viem/accounts";

import { Console } from "../support/console.mjs";
import { evmForms, formsOf, formsOfText, found, secretsOfPhrase, solanaForms } from "../support/secrets.mjs";
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
const MESSAGE = "hello";
const DIGEST = Buffer.from(hashMessage(MESSAGE).slice(2), "hex");
const KDF = "scrypt-16384";
const occurrences = (secrets) => found(secrets, memory.buffer);

/** Everything that must not stay of a phrase and a password. */
function secretsOf(phrase, password, options = {}) {
  return {
    ...formsOfText("password", password),
    ...secretsOfPhrase(phrase, { ...options, message: Buffer.from(MESSAGE), digest: DIGEST }),
  };
}

const newPhrase = (words = 24) => new TextDecoder().decode(keyward.generateMnemonic(words));

/** What the platform's randomness gave while `work` ran. */
async function randomnessOf(work) {
  const given = [];
  const own = crypto.getRandomValues;
  crypto.getRandomValues = (array) => {
    const filled = own.call(crypto, array);
    given.push(Buffer.from(filled));
    return filled;
  };
  try {
    return { value: await work(), given };
  } finally {
    delete crypto.getRandomValues;
    assert.equal(crypto.getRandomValues, own);
  }
}

test("the search knows every form of the keys: it computes the same accounts and nonces", async () => {
  const phrase = newPhrase();
  const password = "canary password of no vault";
  const secrets = secretsOf(phrase, password);
  const vault = await keyward.createVault(utf8(password), { phrase: utf8(phrase), kdf: KDF });
  const evm = vault.evm();
  const key = secrets["EVM key"];
  assert.equal(privateKeyToAddress(`0x${key.toString("hex")}`), evm.address);
  const nonce = createECDH("secp256k1");
  nonce.setPrivateKey(secrets["nonce of EVM key"]);
  const r = nonce.getPublicKey(null, "compressed").subarray(1).toString("hex");
  assert.equal((await evm.signMessage(MESSAGE)).slice(2, 66), r);
  assert.deepEqual(vault.solana().publicKey, new Uint8Array(publicKeyOf(secrets["Solana key"])));
  vault.free();
  assert.deepEqual(occurrences(secrets), []);
});

test("the search finds a canary, and nothing is left after locking", async () => {
  const password = "canary password of this test";
  const phrase = newPhrase();
  const secrets = secretsOf(phrase, password);
  const vault = await keyward.createVault(utf8(password), { phrase: utf8(phrase), kdf: KDF });
  const file = vault.export();
  vault.free();
  assert.deepEqual(occurrences(secrets), [], "after making a vault");

  const opened = await keyward.openVault(file, utf8(password));
  assert.deepEqual(occurrences(secrets), [], "an open vault holds its key, and its records sealed");
  // Labels are no secrets and stay readable while the vault is open: the canaries of the search.
  opened.importKey(utf8(JSON.stringify(Array(32).fill(5))), { chain: "solana", label: password });
  opened.importKey(utf8(JSON.stringify(Array(32).fill(6))), { chain: "solana", label: phrase });
  const labels = ["password", "start of password", "part of password", "end of password", "phrase", "start of phrase", "part of phrase", "end of phrase"];
  assert.deepEqual(occurrences(secrets), labels);
  const freed = opened.solana();
  const kept = opened.solana();
  const evm = opened.evm();
  const keptEvm = opened.evm();
  const names = occurrences(secrets);
  assert.ok(names.includes("prefix of Solana key"), "the canary: a signer holds its key");
  assert.ok(names.some((name) => /^EVM key( reversed| in words of 8| in reversed words of 8)?$/.test(name)), "and so does an EVM signer");
  freed.signMessage(utf8(MESSAGE));
  await evm.signMessage(MESSAGE);
  opened.accounts({ count: 20 });
  opened.accounts({ family: "evm-bip44", count: 5 });
  freed.free();
  evm.free();
  opened.lock();
  assert.deepEqual(occurrences(secrets), [], "after locking");
  assert.throws(() => kept.signMessage(utf8(MESSAGE)), { code: "locked" });
  await assert.rejects(keptEvm.signMessage(MESSAGE), { code: "locked" });
  opened.free();
  assert.deepEqual(occurrences(secrets), [], "after freeing");
});

test("a freed signer leaves nothing while its vault stays open", async () => {
  const password = "canary password of that test";
  const phrase = newPhrase(12);
  const secrets = secretsOf(phrase, password);
  const vault = await keyward.createVault(utf8(password), { phrase: utf8(phrase), kdf: KDF });
  const solana = vault.solana();
  assert.ok(occurrences(secrets).includes("prefix of Solana key"), "the canary");
  solana.signMessage(utf8(MESSAGE));
  solana.free();
  assert.deepEqual(occurrences(secrets), []);
  const evm = vault.evm();
  assert.ok(occurrences(secrets).some((name) => name.startsWith("EVM key")), "the canary");
  await evm.signMessage(MESSAGE);
  await evm.signTypedData(readFileSync(new URL("../../tests/fixtures/mail.json", import.meta.url), "utf8"));
  evm.free();
  assert.deepEqual(occurrences(secrets), []);
  vault.free();
});

test("what was refused leaves nothing either", async () => {
  const password = "canary password of the last test";
  const phrase = newPhrase(12);
  const secrets = secretsOf(phrase, password);
  assert.equal(keyward.validateMnemonic(utf8(`${phrase} abandon`)).valid, false);
  assert.equal(keyward.validateMnemonic(utf8(phrase)).valid, true);
  await assert.rejects(keyward.openVault(utf8("no vault"), utf8(password)));
  const vault = await keyward.createVault(utf8("another one altogether"), { kdf: KDF });
  const file = vault.export();
  await assert.rejects(keyward.openVault(file, utf8(password)), { code: "refused-to-open" });
  assert.deepEqual(occurrences(secrets), [], "after a wrong password");
  assert.throws(() => vault.importKey(utf8(`${phrase} abandon`), { format: "phrase" }));
  assert.throws(() => vault.importKey(utf8(phrase), { format: "hex", chain: "evm" }));
  await assert.rejects(keyward.createVault(utf8(password), { phrase: utf8(`${phrase} abandon`), kdf: KDF }));
  await assert.rejects(vault.changePassword(utf8(password), utf8("a new one altogether"), { kdf: KDF }), { code: "refused-to-open" });
  await assert.rejects(vault.changePassword(utf8("another one altogether"), utf8(password.slice(0, 11)), { kdf: KDF }));
  vault.free();
  assert.deepEqual(occurrences(secrets), []);
});

test("the vault's key is in memory while it is open, and its password's stretching is not", async () => {
  const password = "canary password that is stretched";
  const { value: vault, given } = await randomnessOf(() => keyward.createVault(utf8(password), { phrase: utf8(newPhrase()), kdf: KDF }));
  const file = Buffer.from(vault.export());
  const random = given.filter((bytes) => bytes.length >= 16);
  const secret = random.filter((bytes) => !file.includes(bytes));
  const salts = random.filter((bytes) => bytes.length === 32 && file.includes(bytes));
  assert.ok(secret.length >= 1 && salts.length >= 1, `${secret.length} secret and ${salts.length} public random numbers`);
  const keys = Object.assign({}, ...secret.map((bytes, at) => formsOf(`random number ${at}`, bytes)));
  assert.ok(occurrences(keys).length > 0, "the canary: the vault's key");
  const stretchings = salts.map((salt, at) => ({
    // The stretched password, and the block that scrypt starts from, by which guesses could be checked.
    ...formsOf(`stretched ${at}`, scryptSync(password, salt, 32, { N: 16384, r: 8, p: 1 })),
    ...formsOf(`first block ${at}`, pbkdf2Sync(password, salt, 1, 64, "sha256")),
  }));
  const stretched = Object.assign({}, ...stretchings);
  assert.deepEqual(occurrences(stretched), [], "after making it");
  const opened = await keyward.openVault(vault.export(), utf8(password));
  assert.deepEqual(occurrences(stretched), [], "after opening it");
  vault.lock();
  assert.ok(occurrences(keys).length > 0, "the other handle still has the key");
  opened.lock();
  assert.deepEqual(occurrences({ ...keys, ...stretched }), [], "after locking");
  vault.free();
  opened.free();
});

test("a changed password and a second factor leave nothing", async () => {
  const [first, next] = ["canary password number one", "canary password, the next"];
  const phrase = newPhrase();
  const passphrase = "canary passphrase of a phrase";
  const factor = randomBytes(32);
  const secondFactor = () => utf8(factor.toString("base64"));
  const secrets = {
    ...secretsOf(phrase, first, { passphrase }),
    ...formsOfText("next password", next),
    ...formsOfText("passphrase", passphrase),
    ...formsOf("second factor", factor),
  };
  const vault = await keyward.createVault(utf8(first), { phrase: utf8(phrase), passphrase: utf8(passphrase), secondFactor: secondFactor(), kdf: KDF });
  assert.deepEqual(occurrences(secrets), [], "after making it");
  await vault.changePassword(utf8(first), utf8(next), { secondFactor: secondFactor(), kdf: KDF });
  assert.deepEqual(occurrences(secrets), [], "after changing the password");
  const file = vault.export();
  await assert.rejects(keyward.openVault(file, utf8(next)), { code: "second-factor-missing" });
  await assert.rejects(keyward.openVault(file, utf8(first), { secondFactor: secondFactor() }), { code: "refused-to-open" });
  const opened = await keyward.openVault(file, utf8(next), { secondFactor: secondFactor() });
  assert.deepEqual(occurrences(secrets), [], "while it is open");
  const signers = [opened.solana(), opened.evm()];
  assert.ok(occurrences(secrets).includes("prefix of Solana key"), "the canary: derived with the passphrase");
  opened.lock();
  assert.deepEqual(occurrences(secrets), [], "after locking");
  signers.forEach((signer) => signer.free());
  opened.free();
  vault.free();
});

/** A key in each format that other programs write, with what must not stay of it. */
async function foreignKeys() {
  const [solana, evm] = [randomBytes(32), randomBytes(32)];
  const password = "canary password of a key file";
  const wallet = new Wallet(`0x${evm.toString("hex")}`);
  const keystore = encryptKeystoreJsonSync({ address: wallet.address, privateKey: wallet.privateKey }, password, { scrypt: { N: 16384, r: 8, p: 1 } });
  const { kdfparams } = JSON.parse(keystore).Crypto ?? JSON.parse(keystore).crypto;
  const stretched = scryptSync(password, Buffer.from(kdfparams.salt, "hex"), 32, { N: 16384, r: 8, p: 1 });
  const ofSolana = { ...solanaForms("imported key", solana, Buffer.from(MESSAGE)), "imported key in base58": Buffer.from(bs58.encode(solana)) };
  const ofEvm = evmForms("imported key", evm, DIGEST);
  const list = Buffer.concat([solana, publicKeyOf(solana)]);
  return [
    ["solana-keygen", utf8(JSON.stringify([...list])), { chain: "solana" }, ofSolana],
    ["base58", utf8(bs58.encode(solana)), { chain: "solana" }, ofSolana],
    ["base58", utf8(bs58.encode(list)), { chain: "solana" }, { ...ofSolana, text: Buffer.from(bs58.encode(list)) }],
    ["hex", utf8(solana.toString("hex")), { chain: "solana" }, ofSolana],
    ["raw", new Uint8Array(solana), { chain: "solana" }, ofSolana],
    ["hex", utf8(`0x${evm.toString("hex")}`), { chain: "evm" }, ofEvm],
    ["raw", new Uint8Array(evm), { chain: "evm" }, ofEvm],
    ["keystore-v3", utf8(keystore), { password: utf8(password) }, { ...ofEvm, ...formsOfText("password", password), ...formsOf("stretched", stretched) }],
  ];
}

/** Of an ed25519 seed, by Node's cryptography. */
function publicKeyOf(seed) {
  const key = createPrivateKey({ key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]), format: "der", type: "pkcs8" });
  return createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
}

for (const turn of ["signs", "is refused a second time"]) {
  test(`an imported key of every format leaves nothing when it ${turn}`, async () => {
    for (const [format, key, options, secrets] of await foreignKeys()) {
      const vault = await keyward.createVault(utf8("another one altogether"), { kdf: KDF });
      const [account] = vault.importKey(key, { format, ...options });
      assert.deepEqual(occurrences(secrets), [], `${format}, imported: sealed`);
      if (turn === "signs") {
        const signer = account.chain === "evm" ? vault.evm(account.address) : vault.solana(account.address);
        const canary = occurrences(secrets);
        assert.ok(canary.some((name) => /^(prefix of )?imported key/.test(name)), `${format}: the canary`);
        await signer.signMessage(account.chain === "evm" ? MESSAGE : utf8(MESSAGE));
        signer.free();
      } else {
        assert.throws(() => vault.importKey(key, { format, ...options }), { code: "wallet-exists" });
      }
      assert.deepEqual(occurrences(secrets), [], `${format}, afterwards`);
      vault.free();
    }
  });
}

const console_ = new Console();
after(() => console_.remove());

test("a recovery key, and a wallet's own password, leave nothing", async () => {
  const password = "canary 58 tapir lantern quorum";
  const walletPassword = "canary password of a wallet";
  const phrase = newPhrase();
  console_.run(password, "init", "--import", console_.file(phrase), "--kdf", KDF);
  console_.run(password, "wallets", "password", "set", "#0", "--new-wallet-password-file", console_.file(walletPassword));
  const { recovery_key: recovery } = console_.run(password, "vault", "recovery", "add", "--stdout");
  const file = console_.export(password);
  const secrets = { ...secretsOf(phrase, password), ...formsOfText("recovery key", recovery), ...formsOfText("wallet's password", walletPassword) };
  await assert.rejects(keyward.openVaultWithRecovery(file, utf8(recovery.replace(/.$/, (last) => (last === "A" ? "B" : "A")))));
  assert.deepEqual(occurrences(secrets), [], "after a wrong one");
  const vault = await keyward.openVaultWithRecovery(file, utf8(recovery));
  assert.deepEqual(occurrences(secrets), [], "while it is open");
  const [{ address }] = vault.wallets();
  assert.throws(() => vault.solana(address, { password: utf8("not the wallet's password") }), { code: "refused-to-open" });
  const signer = vault.solana(address, { password: utf8(walletPassword) });
  assert.ok(occurrences(secrets).includes("prefix of Solana key"), "the canary");
  signer.signMessage(utf8(MESSAGE));
  signer.free();
  assert.deepEqual(occurrences(secrets), [], "after freeing the signer");
  vault.lock();
  vault.free();
  assert.deepEqual(occurrences(secrets), []);
});
