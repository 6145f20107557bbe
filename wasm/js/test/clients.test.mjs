// The libraries that pages use accept what the signers give.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";

import {
  address,
  appendTransactionMessageInstruction,
  blockhash,
  createSignableMessage,
  createTransactionMessage,
  getPublicKeyFromAddress,
  getTransactionEncoder,
  partiallySignTransactionMessageWithSigners,
  pipe,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  verifySignature,
} from "@solana/kit";
import { recoverMessageAddress, recoverTransactionAddress, recoverTypedDataAddress, parseTransaction, serializeTransaction } from "viem";

import web3 from "@solana/web3.js";

import * as keyward from "../dist/index.js";

const utf8 = (text) => new TextEncoder().encode(text);
const mail = JSON.parse(readFileSync(new URL("../../tests/fixtures/mail.json", import.meta.url), "utf8"));
let vault;

before(async () => {
  await keyward.init();
  const file = readFileSync(new URL("../../tests/fixtures/native.keyward", import.meta.url));
  vault = await keyward.openVault(new Uint8Array(file), utf8("correct horse battery staple"));
});

for (const version of ["legacy", 0]) {
  test(`@solana/kit signs a transaction of version ${version} and verifies it`, async () => {
    const signer = vault.solana();
    const memo = {
      programAddress: address("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"),
      accounts: [],
      data: utf8("hello"),
    };
    const message = pipe(
      createTransactionMessage({ version }),
      (own) => setTransactionMessageFeePayerSigner(signer, own),
      (own) =>
        setTransactionMessageLifetimeUsingBlockhash(
          { blockhash: blockhash("4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM"), lastValidBlockHeight: 1n },
          own,
        ),
      (own) => appendTransactionMessageInstruction(memo, own),
    );
    const signed = await partiallySignTransactionMessageWithSigners(message);
    const key = await getPublicKeyFromAddress(signer.address);
    assert.ok(await verifySignature(key, signed.signatures[signer.address], signed.messageBytes));
    const wire = new Uint8Array(getTransactionEncoder().encode({ ...signed, signatures: { [signer.address]: null } }));
    assert.deepEqual(
      await signer.signTransactionBytes(wire),
      new Uint8Array(getTransactionEncoder().encode(signed)),
    );
  });
}

test("@solana/kit verifies a message", async () => {
  const signer = vault.solana();
  const message = createSignableMessage("hello");
  const [signatures] = await signer.signMessages([message]);
  const key = await getPublicKeyFromAddress(signer.address);
  assert.ok(await verifySignature(key, signatures[signer.address], message.content));
});

test("viem recovers the signer of messages, typed data and transactions", async () => {
  const signer = vault.evm();
  const signature = await signer.signMessage("hello");
  assert.equal(await recoverMessageAddress({ message: "hello", signature }), signer.address);
  const { EIP712Domain: _, ...types } = mail.types;
  const document = { ...mail, types, domain: { ...mail.domain, chainId: 1n } };
  const typed = await signer.signTypedData(document);
  assert.equal(await recoverTypedDataAddress({ ...document, signature: typed }), signer.address);
  const common = { chainId: 1, nonce: 3, gas: 21_000n, to: mail.message.to.wallet, value: 10n ** 15n };
  for (const transaction of [
    { ...common, type: "legacy", gasPrice: 10n ** 9n },
    { ...common, type: "eip2930", gasPrice: 10n ** 9n, accessList: [] },
    { ...common, type: "eip1559", maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 9n },
  ]) {
    const signed = await signer.signTransaction(serializeTransaction(transaction));
    assert.equal(await recoverTransactionAddress({ serializedTransaction: signed }), signer.address);
    assert.equal(parseTransaction(signed).value, common.value);
  }
});

test("viem's transactions that hand an account's code over (EIP-7702) are refused with the reason", async () => {
  const signer = vault.evm();
  const authorization = { address: mail.message.to.wallet, chainId: 1, nonce: 0, r: `0x${"11".repeat(32)}`, s: `0x${"22".repeat(32)}`, yParity: 0 };
  const fees = { maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 9n };
  const common = { chainId: 1, nonce: 3, gas: 100_000n, to: mail.message.to.wallet, type: "eip7702" };
  const unsigned = serializeTransaction({ ...common, ...fees, authorizationList: [authorization] });
  const review = await signer.inspect(unsigned);
  assert.equal(review.verdict.allowed, false);
  await assert.rejects(signer.signTransaction(unsigned), (error) => {
    assert.equal(error.code, "refused");
    assert.deepEqual(error.reasons, review.verdict.refusals);
    assert.ok(error.reasons.length > 0 && error.message.includes(error.reasons[0].message), error.message);
    return true;
  });
});

test("@solana/kit's batches are signed all, and web3.js 1.x accepts legacy and version 0", async () => {
  const signer = vault.solana();
  const payer = new web3.PublicKey(signer.address);
  const recentBlockhash = "4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM";
  const transfer = (lamports) => web3.SystemProgram.transfer({ fromPubkey: payer, toPubkey: web3.SystemProgram.programId, lamports });
  const compiled = [1, 2, 3].map((lamports) => new web3.TransactionMessage({ payerKey: payer, recentBlockhash, instructions: [transfer(lamports)] }));
  const messages = compiled.map((message) => message.compileToV0Message().serialize());
  const dictionaries = await signer.signTransactions(messages.map((messageBytes) => ({ messageBytes, signatures: {} })));
  const key = await getPublicKeyFromAddress(signer.address);
  for (const [at, messageBytes] of messages.entries()) {
    assert.ok(await verifySignature(key, dictionaries[at][signer.address], messageBytes));
  }
  const legacy = new web3.Transaction({ feePayer: payer, blockhash: recentBlockhash, lastValidBlockHeight: 1 }).add(transfer(4));
  const unsigned = legacy.serialize({ requireAllSignatures: false, verifySignatures: false });
  assert.ok(web3.Transaction.from(await signer.signTransactionBytes(new Uint8Array(unsigned))).verifySignatures());
  const v0 = new web3.VersionedTransaction(compiled[0].compileToV0Message());
  const signed = web3.VersionedTransaction.deserialize(await signer.signTransactionBytes(v0.serialize()));
  assert.ok(await verifySignature(key, signed.signatures[0], signed.message.serialize()));
});

test("web3.js' transactions with lookup tables are signed once their contents are known, and only those", async () => {
  const payer = new web3.PublicKey(vault.solana().address);
  const [table, held] = [21, 22].map((byte) => new web3.PublicKey(new Uint8Array(32).fill(byte)));
  const account = new web3.AddressLookupTableAccount({
    key: table,
    state: { deactivationSlot: 0n, lastExtendedSlot: 0, lastExtendedSlotStartIndex: 0, addresses: [held] },
  });
  const message = new web3.TransactionMessage({
    payerKey: payer,
    recentBlockhash: "4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM",
    instructions: [web3.SystemProgram.transfer({ fromPubkey: payer, toPubkey: held, lamports: 7 })],
  }).compileToV0Message([account]);
  assert.equal(message.addressTableLookups.length, 1);
  const wire = new web3.VersionedTransaction(message).serialize();
  const refused = (wanted) => (error) => {
    assert.equal(error.code, wanted);
    return true;
  };

  const blind = vault.solana();
  assert.equal((await blind.inspect(wire)).verdict.refusals[0].code, "unresolved-lookup");
  await assert.rejects(blind.signTransactionBytes(wire), refused("refused"));

  const asked = [];
  const told = (answer) =>
    vault.solana("", {
      lookupTables: async (tables) => {
        asked.push(...tables);
        return answer;
      },
    });
  const signer = told({ [table.toBase58()]: [held.toBase58()] });
  const review = await signer.inspect(wire);
  assert.equal(review.actions[0].to, held.toBase58());
  const signed = web3.VersionedTransaction.deserialize(await signer.signTransactionBytes(wire));
  const key = await getPublicKeyFromAddress(signer.address);
  assert.ok(await verifySignature(key, signed.signatures[0], signed.message.serialize()));
  assert.deepEqual(new Set(asked), new Set([table.toBase58()]));

  await assert.rejects(told({}).signTransactionBytes(wire), refused("lookup-table"));
  await assert.rejects(told({ [table.toBase58()]: [] }).signTransactionBytes(wire), refused("lookup-table"));
  await assert.rejects(told({ [table.toBase58()]: ["?"] }).signTransactionBytes(wire), refused("lookup-table"));
});
