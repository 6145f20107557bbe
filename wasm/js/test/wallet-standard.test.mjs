// Dapps' own libraries find the wallet, connect and have things signed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { before, test } from "node:test";

// Both halves meet through the window's events; that there is a document is all that the adapter wants besides.
globalThis.window = Object.assign(new EventTarget(), { location: { host: "dapp.example" } });
globalThis.document = {};

const { getWallets } = await import("@wallet-standard/app");
const { isWalletAdapterCompatibleStandardWallet } = await import("@solana/wallet-adapter-base");
const { StandardWalletAdapter } = await import("@solana/wallet-standard-wallet-adapter-base");
const { default: web3 } = await import("@solana/web3.js");
const keyward = await import("../dist/index.js");
const { registerWallet } = await import("../dist/wallet-standard.js");

const utf8 = (text) => new TextEncoder().encode(text);
const code = (wanted) => (error) => {
  assert.ok(error instanceof keyward.KeywardError, String(error));
  assert.equal(error.code, wanted);
  return true;
};
const icon = "data:image/svg+xml;base64,PHN2Zy8+";
const blockhash = "4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM";
const fixture = (name) => new Uint8Array(readFileSync(new URL(`../../tests/fixtures/${name}`, import.meta.url)));
let vault;
let limited;

before(async () => {
  await keyward.init();
  vault = await keyward.openVault(fixture("native.keyward"), utf8("correct horse battery staple"));
  limited = await keyward.openVault(fixture("policy.keyward"), utf8("correct horse battery staple"));
});

/** Registers a wallet that keeps what it was asked, and finds it as a dapp does. */
function registered(options = {}) {
  const asked = [];
  const calls = { connect: 0 };
  const handle = registerWallet({
    name: `Wallet ${Math.random()}`,
    icon,
    connect: async () => {
      calls.connect += 1;
      return [vault.solana()];
    },
    confirm: async (request) => {
      asked.push(request);
      return true;
    },
    ...options,
  });
  const wallet = getWallets().get().at(-1);
  const features = wallet.features;
  return { asked, calls, handle, wallet, features, connect: features["standard:connect"].connect };
}

function transfers(payer, versions) {
  const instruction = web3.SystemProgram.transfer({
    fromPubkey: payer,
    toPubkey: web3.SystemProgram.programId,
    lamports: 5,
  });
  return versions.map((version) => {
    if (version === "legacy") {
      return new web3.Transaction({ feePayer: payer, blockhash, lastValidBlockHeight: 1 }).add(instruction);
    }
    const message = new web3.TransactionMessage({ payerKey: payer, recentBlockhash: blockhash, instructions: [instruction] });
    return new web3.VersionedTransaction(message.compileToV0Message());
  });
}

test("an adapter of Solana's wallets connects and signs legacy, version 0 and batches", async () => {
  const { asked, wallet, handle } = registered();
  assert.ok(isWalletAdapterCompatibleStandardWallet(wallet));
  const adapter = new StandardWalletAdapter({ wallet });
  await adapter.connect();
  assert.equal(adapter.publicKey.toBase58(), vault.solana().address);
  assert.deepEqual([...adapter.supportedTransactionVersions], ["legacy", 0]);

  const [legacy, v0] = transfers(adapter.publicKey, ["legacy", 0]);
  assert.ok((await adapter.signTransaction(legacy)).verifySignatures());
  const signed = await adapter.signTransaction(v0);
  assert.ok(await verified(signed.signatures[0], signed.message.serialize(), adapter.publicKey));
  assert.equal(asked[0].review.actions[0].lamports, "5");
  const batch = await adapter.signAllTransactions(transfers(adapter.publicKey, ["legacy", 0, "legacy"]));
  assert.equal(batch.length, 3);
  assert.ok(batch[2].verifySignatures());
  assert.equal(asked.length, 5);
  const signature = await adapter.signMessage(utf8("hello"));
  assert.ok(await verified(signature, utf8("hello"), adapter.publicKey));
  const output = await adapter.signIn({ statement: "Welcome", nonce: "12345678" });
  const text = new TextDecoder().decode(output.signedMessage);
  assert.ok(text.startsWith("dapp.example wants you to sign in with your Solana account:\n"), text);
  assert.ok(await verified(output.signature, output.signedMessage, adapter.publicKey));
  assert.deepEqual(asked.map((request) => request.kind).slice(-2), ["message", "sign-in"]);
  await adapter.disconnect();
  assert.equal(wallet.accounts.length, 0);
  handle.unregister();
});

async function verified(signature, message, publicKey) {
  const key = await crypto.subtle.importKey("raw", publicKey.toBytes(), "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, message);
}

test("a dapp that comes before or after finds it, until it is unregistered", () => {
  const { wallet, handle } = registered();
  assert.ok(getWallets().get().includes(wallet));
  const late = [];
  window.dispatchEvent(
    new CustomEvent("wallet-standard:app-ready", { detail: { register: (own) => late.push(own) && (() => late.pop()) } }),
  );
  assert.ok(late.includes(wallet));
  handle.unregister();
  assert.ok(!getWallets().get().includes(wallet));
  assert.ok(!late.includes(wallet));
});

test("a silent connect never asks, and an account keeps its identity", async () => {
  const { calls, connect, wallet, handle, features } = registered();
  const changes = [];
  const off = features["standard:events"].on("change", (properties) => changes.push(properties.accounts));
  assert.deepEqual((await connect({ silent: true })).accounts, []);
  assert.equal(calls.connect, 0);
  const [account] = (await connect()).accounts;
  assert.deepEqual(account.publicKey, vault.solana().publicKey);
  assert.deepEqual(account.features, ["solana:signTransaction", "solana:signMessage", "solana:signIn"]);
  assert.deepEqual(account.chains, wallet.chains);
  assert.equal((await connect({ silent: true })).accounts[0], account);
  handle.disconnect();
  assert.equal((await connect()).accounts[0], account);
  assert.equal(calls.connect, 2);
  assert.deepEqual(changes.map((accounts) => accounts.length), [1, 0, 1]);
  off();
  handle.unregister();
  assert.equal(changes.length, 3);
});

test("nothing is signed that was rejected, refused, for another site or by nobody connected", async () => {
  let answer = false;
  const asked = [];
  const { connect, features, handle } = registered({
    connect: async () => [limited.solana()],
    confirm: async (request) => {
      asked.push(request);
      return answer;
    },
  });
  const { signMessage } = features["solana:signMessage"];
  const { signTransaction } = features["solana:signTransaction"];
  const { signIn } = features["solana:signIn"];
  const stranger = { address: vault.solana().address };
  await assert.rejects(signMessage({ account: stranger, message: utf8("hello") }), code("not-connected"));
  const [account] = (await connect()).accounts;
  await assert.rejects(signMessage({ account, message: utf8("hello") }), code("rejected"));
  answer = "yes";
  await assert.rejects(signMessage({ account, message: utf8("hello") }), code("rejected"));
  answer = true;
  const [large] = JSON.parse(new TextDecoder().decode(fixture("native.json"))).solana.transactions.slice(-1);
  const transaction = new Uint8Array(Buffer.from(large.unsigned, "hex"));
  const before = asked.length;
  await assert.rejects(signTransaction({ account, transaction }), code("refused"));
  await assert.rejects(signMessage({ account, message: transaction }), code("refused"));
  await assert.rejects(signTransaction({ account, transaction, chain: "solana:elsewhere" }), code("chain"));
  await assert.rejects(signIn({ domain: "evil.example" }), code("domain"));
  await assert.rejects(signIn({ nonce: "short" }), code("argument"));
  await assert.rejects(signIn({ statement: "one\nURI: https://evil.example" }), code("argument"));
  await assert.rejects(signIn({ address: stranger.address.replace(/^./, "z") }), code("not-connected"));
  assert.equal(asked.length, before);
  handle.unregister();
});

test("it sends only where an endpoint is configured", async () => {
  const bodies = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      bodies.push(JSON.parse(body));
      const answer = bodies.length === 1 ? { result: "signature" } : { error: { message: "blockhash not found" } };
      response.end(JSON.stringify(answer));
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${server.address().port}/`;
  const silent = registered();
  assert.equal(silent.features["solana:signAndSendTransaction"], undefined);
  silent.handle.unregister();

  const { asked, connect, features, handle } = registered({ endpoints: { "solana:devnet": endpoint } });
  const [account] = (await connect()).accounts;
  const { signAndSendTransaction } = features["solana:signAndSendTransaction"];
  const [v0] = transfers(new web3.PublicKey(account.address), [0]);
  const transaction = v0.serialize();
  const [{ signature }] = await signAndSendTransaction({ account, transaction, chain: "solana:devnet" });
  assert.equal(asked[0].send, true);
  const sent = web3.VersionedTransaction.deserialize(Buffer.from(bodies[0].params[0], "base64"));
  assert.deepEqual(new Uint8Array(sent.signatures[0]), signature);
  assert.ok(await verified(signature, sent.message.serialize(), new web3.PublicKey(account.address)));
  await assert.rejects(signAndSendTransaction({ account, transaction, chain: "solana:devnet" }), code("send"));
  await assert.rejects(signAndSendTransaction({ account, transaction, chain: "solana:mainnet" }), code("no-endpoint"));
  assert.equal(bodies.length, 2);
  handle.unregister();
  await new Promise((resolve) => server.close(resolve));
});
