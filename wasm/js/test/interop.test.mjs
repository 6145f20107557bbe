// One vault file for the console and the page: each opens what the other wrote, and both sign alike.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import web3 from "@solana/web3.js";
import bs58 from "bs58";
import { serializeTransaction } from "viem";

import { Console } from "../support/console.mjs";
import * as keyward from "../dist/index.js";

const utf8 = (text) => new TextEncoder().encode(text);
const mail = readFileSync(new URL("../../tests/fixtures/mail.json", import.meta.url), "utf8");
const PASSWORD = "tapir lantern quorum 58 estuary";
const OTHER_PASSWORD = "juniper ballast 77 ocarina thread";
/** The least key stretching, so that the tests do not take minutes. */
const KDF = "scrypt-16384";
const TEXTS = ["hello", "Grüße, 世界 🗝", "two\nlines\tand a tab", "x".repeat(1000)];
const consoles = [];
let phrase;

before(async () => {
  await keyward.init();
  phrase = new TextDecoder().decode(keyward.generateMnemonic());
});

after(() => consoles.forEach((own) => own.remove()));

function newConsole(options) {
  const own = new Console(options);
  consoles.push(own);
  return own;
}

/** A console with a vault of the phrase: wallets of both chains, labels, tags, imported keys. */
function consoleWithVault(options) {
  const own = newConsole(options);
  own.run(PASSWORD, "init", "--import", own.file(phrase), "--kdf", KDF, "--max-coin", "2", "--max-coin-fee", "1");
  own.run(PASSWORD, "wallets", "derive", "--count", "2");
  own.run(PASSWORD, "wallets", "derive", "--chain", "evm", "--count", "2");
  own.run(PASSWORD, "wallets", "derive", "--family", "sollet", "--count", "1");
  own.run(PASSWORD, "wallets", "label", "#0", "treasury ✓");
  own.run(PASSWORD, "wallets", "tag", "#0", "--add", "cold");
  own.run(PASSWORD, "import", own.file(bs58.encode(randomBytes(32))), "--format", "base58", "--chain", "solana", "--label", "from base58");
  own.run(PASSWORD, "import", own.file(randomBytes(32).toString("hex")), "--chain", "evm", "--label", "from hex");
  return own;
}

const walletsOf = (own, password = PASSWORD) => own.run(password, "wallets", "list").wallets;
/** What the package shows of the wallets, in the console's words. */
const shown = (wallets) => wallets.map(({ address, chain, label, path }) => ({ address, chain, label, path: path === "" ? null : path })).sort(byAddress);
const byAddress = (left, right) => (left.address < right.address ? -1 : 1);
/** All that a vault file keeps of a wallet; each vault numbers its phrases and notes when it took a wallet. */
const kept = (wallets) => wallets.map(({ created_ms: _, ...own }) => own).sort(byAddress);

/** Transactions of Solana to be signed by `from`: legacy and version 0, with a memo, with a second signer. */
function solanaTransactions(from) {
  const payer = new web3.PublicKey(from);
  const recentBlockhash = bs58.encode(randomBytes(32));
  const to = new web3.PublicKey(randomBytes(32));
  const transfer = web3.SystemProgram.transfer({ fromPubkey: payer, toPubkey: to, lamports: 123_456_789 });
  const memo = new web3.TransactionInstruction({
    programId: new web3.PublicKey("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"),
    keys: [],
    data: Buffer.from("from both sides"),
  });
  const limit = web3.ComputeBudgetProgram.setComputeUnitLimit({ units: 60_000 });
  const price = web3.ComputeBudgetProgram.setComputeUnitPrice({ microLamports: 1_000 });
  const sponsor = web3.Keypair.generate();
  const built = (payerKey, instructions) => new web3.TransactionMessage({ payerKey, recentBlockhash, instructions });
  const legacy = new web3.VersionedTransaction(built(payer, [transfer]).compileToLegacyMessage());
  const v0 = new web3.VersionedTransaction(built(payer, [limit, price, transfer, memo]).compileToV0Message());
  const sponsored = new web3.VersionedTransaction(built(sponsor.publicKey, [transfer]).compileToV0Message());
  sponsored.sign([sponsor]);
  return { legacy, v0, sponsored };
}

function evmTransactions() {
  const to = `0x${randomBytes(20).toString("hex")}`;
  const common = { chainId: 1, nonce: 3, gas: 21_000n, to, value: 10n ** 15n };
  return [
    { ...common, type: "legacy", gasPrice: 10n ** 9n },
    { ...common, type: "eip2930", gasPrice: 10n ** 9n, accessList: [] },
    { ...common, type: "eip1559", maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 9n },
  ].map((own) => serializeTransaction(own));
}

/** Signs the same bytes with a Solana wallet in both places. */
async function assertSolanaAlike(own, vault, address, whole = true) {
  const signer = vault.solana(address);
  for (const text of whole ? TEXTS : TEXTS.slice(1, 2)) {
    const { signature } = own.run(PASSWORD, "sign-message", address, "--file", own.file(text));
    assert.equal(bs58.encode(signer.signMessage(utf8(text))), signature, text);
  }
  if (!whole) {
    signer.free();
    return;
  }
  for (const layout of ["short", "v0", "v1"]) {
    const { signature, signed_bytes: wrapped } = own.run(PASSWORD, "sign-message", address, "--message", "hello", `--offchain=${layout}`);
    assert.equal(bs58.encode(signer.signMessage(new Uint8Array(Buffer.from(wrapped, "base64")))), signature, layout);
  }
  const signIn = `dapp.example wants you to sign in with your Solana account:\n${address}\n\nWelcome\n\nNonce: 12345678`;
  const { signature } = own.run(PASSWORD, "sign-message", address, "--file", own.file(signIn), "--origin", "https://dapp.example");
  assert.equal(bs58.encode(signer.signMessage(utf8(signIn))), signature, "sign-in");
  for (const [name, transaction] of Object.entries(solanaTransactions(address))) {
    const wire = transaction.serialize();
    const signed = own.run(PASSWORD, "sign-transaction", own.file(wire));
    assert.deepEqual(signed.wallets, [address], name);
    assert.equal(Buffer.from(await signer.signTransactionBytes(wire)).toString("base64"), signed.transaction, name);
  }
  signer.free();
}

async function assertEvmAlike(own, vault, address, whole = true) {
  const signer = vault.evm(address);
  for (const text of whole ? TEXTS : TEXTS.slice(1, 2)) {
    const { signature } = own.run(PASSWORD, "sign-message", address, "--file", own.file(text));
    assert.equal(await signer.signMessage(text), signature, text);
  }
  for (const payload of whole ? evmTransactions() : []) {
    const signed = own.run(PASSWORD, "sign-transaction", own.file(payload), "--evm-wallet", address, "--chain-id", "1");
    assert.equal(await signer.signTransaction(payload), signed.transaction.replace(/^(0x)?/, "0x"), payload);
  }
  signer.free();
}

/** Signs with every wallet that the vault lists: everything with a chain's first, a text with each. */
async function assertAlike(own, vault) {
  const seen = new Set();
  for (const { chain, address } of vault.wallets()) {
    await (chain === "solana" ? assertSolanaAlike : assertEvmAlike)(own, vault, address, !seen.has(chain));
    seen.add(chain);
  }
}

test("a vault of the console opens in the package: the same wallets, which sign alike", async () => {
  const own = consoleWithVault();
  const file = own.export(PASSWORD);
  const status = own.run(PASSWORD, "vault", "status");
  assert.deepEqual(keyward.describeVault(file), { id: status.vault_id, needsSecondFactor: false });
  await assert.rejects(keyward.openVault(file, utf8(OTHER_PASSWORD)), { code: "refused-to-open" });
  const vault = await keyward.openVault(file, utf8(PASSWORD));
  assert.equal(vault.authority, "vault");
  const wallets = walletsOf(own);
  assert.equal(wallets.length, 8);
  assert.deepEqual(shown(vault.wallets()), shown(wallets));
  await assertAlike(own, vault);
  vault.free();
});

test("what the console's policy refuses, the package refuses for the same reasons", async () => {
  const own = newConsole();
  own.run(PASSWORD, "init", "--import", own.file(phrase), "--kdf", KDF, "--max-sol", "0.1", "--max-coin", "0.0001", "--max-coin-fee", "1");
  own.run(PASSWORD, "wallets", "derive", "--chain", "evm", "--count", "1");
  const vault = await keyward.openVault(own.export(PASSWORD), utf8(PASSWORD));
  const [solana, evm] = [vault.solana(), vault.evm()];
  const refused = async (work, ...command) => {
    const outcome = own.fail(PASSWORD, ...command);
    assert.deepEqual([outcome.status, outcome.code], [3, "refused"]);
    await assert.rejects(work(), (error) => {
      assert.equal(error.code, "refused");
      assert.deepEqual(error.reasons.map((reason) => reason.code), outcome.reasons);
      return true;
    });
  };
  const { legacy } = solanaTransactions(solana.address);
  await refused(() => solana.signTransactionBytes(legacy.serialize()), "sign-transaction", own.file(legacy.serialize()));
  const [payload] = evmTransactions();
  const evmOptions = ["--evm-wallet", evm.address, "--chain-id", "1"];
  await refused(() => evm.signTransaction(payload), "sign-transaction", own.file(payload), ...evmOptions);
  await refused(() => evm.signTypedData(mail), "sign-typed-data", evm.address, own.file(mail));
  vault.free();
});

test("a vault of the package is imported by the console: the same wallets, which sign alike", async () => {
  const made = await keyward.createVault(utf8(PASSWORD), { phrase: utf8(phrase), kdf: KDF });
  made.importKey(randomBytes(32), { format: "raw", chain: "solana", label: "raw ✓" });
  made.importKey(randomBytes(32), { format: "raw", chain: "evm", label: "of another program" });
  const file = made.export();
  const wallets = made.wallets();
  assert.equal(wallets.length, 4);
  const own = newConsole();
  const imported = own.run(PASSWORD, "vault", "import", own.file(file), "--max-coin", "2", "--max-coin-fee", "1");
  assert.deepEqual([imported.vault_id, imported.wallet_count, imported.policy], [made.id, 4, "default"]);
  assert.equal(made.authority, "page");
  const rules = own.run(PASSWORD, "policy", "show").policy.rules.map((rule) => rule.name);
  assert.ok(rules.includes("sol-transfers") && rules.includes("evm-transfers"), "the console holds it to a policy from then on");
  assert.deepEqual(shown(walletsOf(own)), shown(wallets));
  await assertAlike(own, made);
  // A further account of the phrase is the same on both sides.
  own.run(PASSWORD, "wallets", "derive", "--start", "1", "--count", "1");
  const [second] = made.accounts({ start: 1 });
  assert.ok(walletsOf(own).some((wallet) => wallet.address === second.address && wallet.path === second.path));
  made.free();
});

test("a vault of the package with a passphrase, a second factor and a changed password", async () => {
  const second = randomBytes(32).toString("hex");
  const made = await keyward.createVault(utf8(OTHER_PASSWORD), {
    phrase: utf8(phrase),
    passphrase: utf8("a passphrase"),
    secondFactor: utf8(second),
    kdf: KDF,
  });
  await made.changePassword(utf8(OTHER_PASSWORD), utf8(PASSWORD), { secondFactor: utf8(second), kdf: KDF });
  const file = made.export();
  const forgetful = newConsole();
  assert.equal(forgetful.fail(PASSWORD, "vault", "import", forgetful.file(file)).status, 4);
  const own = newConsole({ secondFactor: second });
  assert.equal(own.fail(OTHER_PASSWORD, "vault", "import", own.file(file)).status, 4);
  own.import(PASSWORD, file);
  assert.deepEqual(shown(walletsOf(own)), shown(made.wallets()));
  const { address } = made.solana();
  await assertSolanaAlike(own, made, address);
  made.free();
});

test("a vault of the console with a second factor, a wallet's own password and a recovery key", async () => {
  const second = randomBytes(32).toString("base64");
  const own = consoleWithVault({ secondFactor: second });
  const walletPassword = "a password of the wallet's own";
  own.run(PASSWORD, "wallets", "password", "set", "#1", "--new-wallet-password-file", own.file(walletPassword));
  const { recovery_key: recovery } = own.run(PASSWORD, "vault", "recovery", "add", "--stdout");
  const file = own.export(PASSWORD);
  assert.equal(keyward.describeVault(file).needsSecondFactor, true);
  await assert.rejects(keyward.openVault(file, utf8(PASSWORD)), { code: "second-factor-missing" });
  const wrong = randomBytes(32).toString("hex");
  await assert.rejects(keyward.openVault(file, utf8(PASSWORD), { secondFactor: utf8(wrong) }), { code: "refused-to-open" });
  const opened = [
    await keyward.openVault(file, utf8(PASSWORD), { secondFactor: utf8(second) }),
    await keyward.openVaultWithRecovery(file, utf8(recovery)),
  ];
  const guarded = walletsOf(own).find((wallet) => wallet.own_password).address;
  for (const vault of opened) {
    assert.deepEqual(shown(vault.wallets()), shown(walletsOf(own)));
    assert.throws(() => vault.solana(guarded), { code: "wallet-password-missing" });
    assert.throws(() => vault.solana(guarded, { password: utf8("not its password") }), { code: "refused-to-open" });
    const signer = vault.solana(guarded, { password: utf8(walletPassword) });
    const command = ["sign-message", guarded, "--message", "hello", "--wallet-password-file", own.file(walletPassword)];
    assert.equal(bs58.encode(signer.signMessage(utf8("hello"))), own.run(PASSWORD, ...command).signature);
    vault.free();
  }
});

test("an untouched vault goes to and fro and keeps everything", async () => {
  const own = consoleWithVault();
  let file = own.export(PASSWORD);
  const policy = own.run(PASSWORD, "policy", "show");
  const limited = newConsole();
  const loosened = limited.fail(PASSWORD, "vault", "import", limited.file(file), "--max-sol", "100");
  assert.deepEqual([loosened.status, loosened.code], [2, "policy_in_file"]);
  const phrases = own.run(PASSWORD, "phrases", "list").phrases.map(({ label, family, wallets }) => ({ label, family, wallets }));
  for (let turn = 0; turn < 2; turn += 1) {
    const vault = await keyward.openVault(file, utf8(PASSWORD));
    const exported = vault.export();
    vault.free();
    assert.equal(exported.length, file.length, "the same contents, sealed anew");
    assert.notDeepEqual(exported, file);
    const next = newConsole();
    next.import(PASSWORD, exported);
    assert.deepEqual(kept(walletsOf(next)), kept(walletsOf(own)));
    assert.deepEqual(next.run(PASSWORD, "policy", "show"), policy);
    assert.deepEqual(next.run(PASSWORD, "phrases", "list").phrases.map(({ label, family, wallets }) => ({ label, family, wallets })), phrases);
    file = next.export(PASSWORD);
  }
});

test("every vault file with a flipped byte is refused on both sides", async () => {
  const own = consoleWithVault();
  const file = own.export(PASSWORD);
  // One place in each part: magic, version, header, slots, contents, tag.
  for (const at of [0, 9, 30, 90, 200, Math.floor(file.length / 2), file.length - 1]) {
    const damaged = file.slice();
    damaged[at] ^= 1;
    await assert.rejects(keyward.openVault(damaged, utf8(PASSWORD)), (error) => error instanceof keyward.KeywardError && error.code !== "internal");
    const other = newConsole();
    assert.notEqual(other.fail(PASSWORD, "vault", "import", other.file(damaged)).status, 1);
  }
});
