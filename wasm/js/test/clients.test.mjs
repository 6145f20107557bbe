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
