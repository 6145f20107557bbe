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
const { default: bs58 } = await import("bs58");
const { verifySignIn } = await import("@solana/wallet-standard-util");
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

/** A node on loopback that answers as told: `answers` take the call and give a body, or nothing to hang up. */
async function fakeNode(t, answer) {
  const calls = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      const call = JSON.parse(body);
      calls.push(call);
      const given = answer(call, calls.length);
      if (given === undefined) {
        response.destroy();
      } else {
        response.end(JSON.stringify({ jsonrpc: "2.0", id: call.id, ...given }));
      }
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { calls, endpoint: `http://127.0.0.1:${server.address().port}/` };
}

const nameOf = (call) => bs58.encode(Buffer.from(call.params[0], "base64").subarray(1, 65));

async function sender(t, answer) {
  const node = await fakeNode(t, answer);
  const own = registered({ endpoints: { "solana:devnet": node.endpoint } });
  t.after(() => own.handle.unregister());
  const [account] = (await own.connect()).accounts;
  const [v0] = transfers(new web3.PublicKey(account.address), [0]);
  const { signAndSendTransaction } = own.features["solana:signAndSendTransaction"];
  const send = (options, more = {}) =>
    signAndSendTransaction({ account, transaction: v0.serialize(), chain: "solana:devnet", options, ...more });
  return { ...own, ...node, account, v0, send, signAndSendTransaction };
}

test("it sends only where an endpoint is configured, once, and gives the signature", async (t) => {
  const silent = registered();
  assert.equal(silent.features["solana:signAndSendTransaction"], undefined);
  silent.handle.unregister();
  const { asked, account, calls, send } = await sender(t, (call) => ({ result: nameOf(call) }));
  assert.ok(account.features.includes("solana:signAndSendTransaction"));
  const [{ signature }] = await send({ minContextSlot: 7, maxRetries: 0, skipPreflight: true, nonsense: 1 });
  assert.equal(asked[0].send, true);
  const sent = web3.VersionedTransaction.deserialize(Buffer.from(calls[0].params[0], "base64"));
  assert.deepEqual(new Uint8Array(sent.signatures[0]), signature);
  assert.ok(await verified(signature, sent.message.serialize(), new web3.PublicKey(account.address)));
  assert.deepEqual(calls[0].params[1], {
    encoding: "base64",
    preflightCommitment: "confirmed",
    skipPreflight: true,
    maxRetries: 0,
    minContextSlot: 7,
  });
  await assert.rejects(send({}, { chain: "solana:mainnet" }), code("no-endpoint"));
  await assert.rejects(send({}, { chain: undefined }), code("no-endpoint"));
  for (const options of [{ maxRetries: -1 }, { minContextSlot: 1.5 }, { commitment: "soon" }, { skipPreflight: 1 }, 7]) {
    await assert.rejects(send(options), code("argument"));
  }
  assert.equal(calls.length, 1);
});

test("with a commitment it waits for it, and says if the cluster took it and it failed", async (t) => {
  const statuses = [null, { err: null, confirmationStatus: "processed" }, { err: null, confirmationStatus: "finalized" }];
  const failure = { err: { InstructionError: [0, "Custom"] } };
  const { calls, send } = await sender(t, (call) => {
    if (call.method === "sendTransaction") {
      return { result: nameOf(call) };
    }
    return { result: { value: [statuses.length > 0 ? statuses.shift() : failure] } };
  });
  await send({ commitment: "confirmed" });
  assert.deepEqual(calls.map((call) => call.method), ["sendTransaction", ...Array(3).fill("getSignatureStatuses")]);
  assert.deepEqual(calls[1].params, [[nameOf(calls[0])]]);
  await assert.rejects(send({ commitment: "finalized" }), code("failed"));
});

test("it says whether a transaction was not sent, or may have been", async (t) => {
  const refusing = await sender(t, () => ({ error: { code: -32002, message: "Blockhash not found" } }));
  await assert.rejects(refusing.send(), (error) => code("send")(error) && /did not send it: Blockhash not found/.test(error.message));
  const hanging = await sender(t, () => undefined);
  await assert.rejects(hanging.send(), (error) => code("outcome-unknown")(error) && error.message.includes(nameOf(hanging.calls[0])));
  const other = await sender(t, () => ({ result: "1".repeat(64) }));
  await assert.rejects(other.send(), code("outcome-unknown"));
  const known = await sender(t, () => ({ error: { code: -32002, message: "simulation failed", data: { err: "AlreadyProcessed" } } }));
  assert.equal((await known.send())[0].signature.length, 64);
  const second = await sender(t, (call, count) => (count === 1 ? { result: nameOf(call) } : { error: { code: 1, message: "no" } }));
  const input = { account: second.account, transaction: second.v0.serialize(), chain: "solana:devnet" };
  await assert.rejects(second.signAndSendTransaction(input, input), (error) => code("send")(error) && /^1 of 2 /.test(error.message));
});

test("a transaction that others must sign is not sent before they did", async (t) => {
  const { account, calls, asked, signAndSendTransaction } = await sender(t, (call) => ({ result: nameOf(call) }));
  const sponsor = web3.Keypair.generate();
  const payer = new web3.PublicKey(account.address);
  const instructions = [web3.SystemProgram.transfer({ fromPubkey: payer, toPubkey: sponsor.publicKey, lamports: 5 })];
  const message = new web3.TransactionMessage({ payerKey: sponsor.publicKey, recentBlockhash: blockhash, instructions });
  const transaction = new web3.VersionedTransaction(message.compileToV0Message());
  const input = () => ({ account, transaction: transaction.serialize(), chain: "solana:devnet" });
  await assert.rejects(signAndSendTransaction(input()), code("transaction"));
  assert.deepEqual([calls.length, asked.length], [0, 0]);
  transaction.sign([sponsor]);
  const [{ signature }] = await signAndSendTransaction(input());
  assert.deepEqual(signature, new Uint8Array(transaction.signatures[0]));
});

test("connects at the same time share one prompt, and a disconnect meanwhile ends it", async () => {
  let answer;
  let prompts = 0;
  const { connect, wallet, handle } = registered({
    connect: () => {
      prompts += 1;
      return new Promise((resolve) => (answer = resolve));
    },
  });
  const both = [connect(), connect()];
  assert.deepEqual((await connect({ silent: true })).accounts, []);
  answer([vault.solana(), vault.solana()]);
  const [first, second] = await Promise.all(both);
  assert.equal(prompts, 1);
  assert.equal(first.accounts.length, 1, "one account for one address");
  assert.equal(first.accounts[0], second.accounts[0]);
  assert.equal((await connect()).accounts[0], first.accounts[0]);
  assert.equal(prompts, 1, "who is connected is not asked again");
  handle.disconnect();
  const late = connect();
  handle.disconnect();
  answer([vault.solana()]);
  await assert.rejects(late, code("not-connected"));
  assert.deepEqual(wallet.accounts, []);
  handle.unregister();
});

test("a rejection reads as dapps know it, by text and number", async () => {
  const rejection = (error) => {
    code("rejected")(error);
    assert.equal(error.message, "User rejected the request.");
    assert.equal(error.cause.code, 4001);
    return true;
  };
  for (const connect of [async () => [], async () => undefined, () => Promise.reject(new Error("closed"))]) {
    const { connect: ask, handle } = registered({ connect });
    await assert.rejects(ask(), rejection);
    handle.unregister();
  }
  const failing = registered({ connect: () => Promise.reject(new keyward.KeywardError("refused-to-open", "the password is wrong")) });
  await assert.rejects(failing.connect(), code("refused-to-open"));
  failing.handle.unregister();
  const { wallet, handle } = registered({ confirm: () => Promise.reject(new Error("the dialogue broke")) });
  const adapter = new StandardWalletAdapter({ wallet });
  adapter.on("error", () => {});
  await adapter.connect();
  const [v0] = transfers(adapter.publicKey, [0]);
  await assert.rejects(adapter.signTransaction(v0), (error) => {
    assert.equal(error.name, "WalletSignTransactionError");
    assert.equal(error.message, "User rejected the request.");
    return rejection(error.error);
  });
  handle.unregister();
});

test("of a batch all is signed or nothing, and only after everything was confirmed", async () => {
  const log = [];
  const signer = vault.solana();
  const traced = {
    address: signer.address,
    publicKey: signer.publicKey,
    inspect: async (wire) => log.push("inspect") && signer.inspect(wire),
    inspectMessage: (message) => signer.inspectMessage(message),
    signMessage: async (message) => log.push("sign-message") && signer.signMessage(message),
    signTransactionBytes: async (wire) => log.push("sign") && signer.signTransactionBytes(wire),
  };
  const answers = [true, true, true, false];
  const { connect, features, handle } = registered({
    connect: async () => [traced],
    confirm: async () => log.push("confirm") && answers.shift(),
  });
  const [account] = (await connect()).accounts;
  const { signTransaction } = features["solana:signTransaction"];
  const input = () => ({ account, transaction: transfers(new web3.PublicKey(account.address), [0])[0].serialize() });
  assert.equal((await signTransaction(input(), input())).length, 2);
  assert.deepEqual(log, ["inspect", "inspect", "confirm", "confirm", "sign", "sign"]);
  log.length = 0;
  await assert.rejects(signTransaction(input(), input()), code("rejected"));
  assert.deepEqual(log, ["inspect", "inspect", "confirm", "confirm"]);
  log.length = 0;
  const broken = { account, transaction: new Uint8Array([1, 2, 3]) };
  await assert.rejects(signTransaction(input(), broken), code("transaction"));
  assert.ok(!log.includes("confirm"));
  await assert.rejects(signTransaction(), code("argument"));
  await assert.rejects(signTransaction(...Array.from({ length: 65 }, input)), code("argument"));
  await assert.rejects(signTransaction({ account, transaction: "text" }), code("argument"));
  await assert.rejects(signTransaction({ account, transaction: new Uint8Array([0x81, 0, 0]) }), code("transaction"));
  await assert.rejects(signTransaction({ transaction: new Uint8Array(3) }), code("argument"));
  handle.unregister();
});

test("what is signed is what was shown, whatever happens to the dapp's array or its methods meanwhile", async () => {
  const given = utf8("what was shown");
  const { connect, features, handle } = registered({
    confirm: async () => {
      given.fill(0x41);
      return true;
    },
  });
  const [account] = (await connect()).accounts;
  const { signMessage } = features["solana:signMessage"];
  const [signed] = await signMessage({ account, message: given });
  assert.deepEqual(signed.signedMessage, utf8("what was shown"));
  assert.ok(await verified(signed.signature, utf8("what was shown"), new web3.PublicKey(account.address)));
  class Sly extends Uint8Array {
    slice() {
      return utf8("something else");
    }
  }
  const [sly] = await signMessage({ account, message: new Sly(utf8("honest")) });
  assert.deepEqual(sly.signedMessage, utf8("honest"));
  handle.unregister();
});

test("a vault that was locked ends the connection, before, while and after the person is asked", async () => {
  const own = await keyward.openVault(fixture("native.keyward"), utf8("correct horse battery staple"));
  const { connect, features, wallet, handle } = registered({ connect: async () => [own.solana()] });
  const [account] = (await connect()).accounts;
  const { signMessage } = features["solana:signMessage"];
  own.lock();
  await assert.rejects(signMessage({ account, message: utf8("hello") }), code("locked"));
  assert.deepEqual(wallet.accounts, []);
  await assert.rejects(signMessage({ account, message: utf8("hello") }), code("not-connected"));
  handle.unregister();
  const asking = registered({
    confirm: async () => {
      asking.handle.disconnect();
      return true;
    },
  });
  const [other] = (await asking.connect()).accounts;
  await assert.rejects(asking.features["solana:signMessage"].signMessage({ account: other, message: utf8("hello") }), code("not-connected"));
  asking.handle.unregister();
});

test("a sign-in has its fields, for this page, this account and this time", async () => {
  const { asked, connect, features, handle } = registered();
  const [account] = (await connect()).accounts;
  const { signIn } = features["solana:signIn"];
  const { signMessage } = features["solana:signMessage"];
  const at = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();
  const input = {
    domain: "dapp.example",
    address: account.address,
    statement: "Welcome to the test",
    uri: "https://dapp.example/login",
    version: "1",
    chainId: "solana:mainnet",
    nonce: "abcdefgh12345678",
    issuedAt: at(0),
    expirationTime: at(5),
    notBefore: at(-1),
    requestId: "request-1",
    resources: ["https://dapp.example/terms", "https://other.example/"],
  };
  const [output] = await signIn(input);
  assert.equal(output.account, account);
  assert.equal(output.signatureType, "ed25519");
  assert.ok(verifySignIn(input, { ...output, account: { ...account, publicKey: new Uint8Array(account.publicKey) } }));
  assert.equal(asked[0].kind, "sign-in");
  assert.equal((await signIn({}, input)).length, 2, "several at once");
  const before = asked.length;
  const wrong = [
    ["sign-in", { expirationTime: at(-1), issuedAt: at(-2) }],
    ["sign-in", { notBefore: at(2) }],
    ["sign-in", { issuedAt: at(-11), expirationTime: undefined, notBefore: undefined }],
    ["sign-in", { issuedAt: at(11), expirationTime: undefined }],
    ["domain", { uri: "https://evil.example/login" }],
    ["argument", { uri: "https://dapp.example@evil.example/" }],
    ["domain", { domain: "dapp.example.evil.example", uri: undefined }],
    ["argument", { issuedAt: "yesterday" }],
    ["argument", { issuedAt: new Date() }],
    ["argument", { statement: "two\nlines" }],
    ["argument", { version: "2" }],
    ["argument", { chainId: "solana:elsewhere" }],
    ["argument", { resources: "https://dapp.example" }],
    ["argument", { resources: ["no uri"] }],
    ["argument", { resources: Array(65).fill("https://dapp.example") }],
  ];
  for (const [wanted, change] of wrong) {
    await assert.rejects(signIn({ ...input, ...change }), code(wanted), JSON.stringify(change));
  }
  await assert.rejects(signIn({}, { ...input, ...wrong[0][1] }), code("sign-in"), "all or nothing");
  const text = new TextDecoder().decode(output.signedMessage);
  const other = text.replace(account.address, web3.SystemProgram.programId.toBase58());
  await assert.rejects(signMessage({ account, message: utf8(other) }), code("sign-in"));
  await assert.rejects(signMessage({ account, message: utf8(text.replaceAll("dapp.example", "evil.example")) }), code("domain"));
  assert.equal(asked.length, before);
  handle.unregister();
});

test("one listener's fault is not another's, and each is ended alone", async () => {
  const { connect, features, handle } = registered();
  const { on } = features["standard:events"];
  const seen = [];
  const listener = () => seen.push("listener");
  on("change", () => {
    throw new Error("a dapp's fault");
  });
  const off = on("change", listener);
  on("change", listener);
  on("elsewhere", listener);
  await connect();
  assert.deepEqual(seen, ["listener", "listener"]);
  off();
  handle.disconnect();
  assert.equal(seen.length, 3);
  handle.unregister();
});

/** Dialogs that a test answers; `until` waits for so many to have been opened. */
function dialogs() {
  const open = [];
  const waiting = [];
  return {
    open,
    confirm: (request) =>
      new Promise((answer) => {
        open.push({ request, answer });
        waiting.splice(0).forEach((wake) => wake());
      }),
    until: async (count) => {
      while (open.length < count) {
        await new Promise((wake) => waiting.push(wake));
      }
    },
  };
}

test("one dialog at a time, 64 waiting at most, and none is shown of what began before a disconnect", async () => {
  const { confirm, open, until } = dialogs();
  const { connect, features, handle } = registered({ confirm });
  const [account] = (await connect()).accounts;
  const { signMessage } = features["solana:signMessage"];
  const outcomes = Array.from({ length: 70 }, (_, at) => signMessage({ account, message: utf8(`number ${at}`) }).then(() => "signed", (error) => error.code));
  assert.deepEqual(await Promise.all(outcomes.slice(64)), Array(6).fill("busy"));
  assert.equal(open.length, 1);
  open[0].answer(true);
  assert.equal(await outcomes[0], "signed");
  await until(2);
  assert.equal(open[1].request.review.text, "number 1");
  handle.disconnect();
  await connect();
  open[1].answer(true);
  assert.deepEqual(await Promise.all(outcomes.slice(1, 64)), Array(63).fill("not-connected"));
  assert.equal(open.length, 2);
  handle.unregister();
});

test("what was read before a disconnect is neither shown nor signed after it", async () => {
  const signer = vault.solana();
  let go;
  const held = new Promise((resolve) => (go = resolve));
  const slow = {
    address: signer.address,
    publicKey: signer.publicKey,
    inspectMessage: (message) => held.then(() => signer.inspectMessage(message)),
    signMessage: (message) => signer.signMessage(message),
  };
  const { asked, connect, features, handle } = registered({ connect: async () => [slow] });
  const [account] = (await connect()).accounts;
  const signing = features["solana:signMessage"].signMessage({ account, message: utf8("hello") });
  handle.disconnect();
  await connect();
  go();
  await assert.rejects(signing, code("not-connected"));
  assert.equal(asked.length, 0);
  handle.unregister();
});

test("an off-chain message that reads as a sign-in is refused", async () => {
  const { asked, connect, features, handle } = registered({
    connect: async () => {
      const signer = vault.solana();
      // As a core that let it through.
      const verdict = { allowed: true, refusals: [] };
      const inspectMessage = (message) => ({ kind: "off-chain-message", text: new TextDecoder().decode(message), signers: [], verdict });
      return [{ address: signer.address, publicKey: signer.publicKey, inspectMessage, signMessage: (message) => signer.signMessage(message) }];
    },
  });
  const [account] = (await connect()).accounts;
  const { signMessage } = features["solana:signMessage"];
  for (const text of ["bank.test wants you to sign in with your Solana account:\nme", "x WANTS you to sign in with your account:"]) {
    await assert.rejects(signMessage({ account, message: utf8(text) }), code("refused"));
  }
  assert.equal(asked.length, 0);
  await signMessage({ account, message: utf8("nothing of the kind") });
  assert.equal(asked.length, 1);
  handle.unregister();
});

test("a chain that only the dapp names is said to be that", async (t) => {
  const { account, asked, features, send, v0 } = await sender(t, (call) => ({ result: nameOf(call) }));
  await features["solana:signTransaction"].signTransaction({ account, transaction: v0.serialize(), chain: "solana:mainnet" });
  assert.deepEqual([asked[0].claimedChain, "chain" in asked[0], asked[0].send], ["solana:mainnet", false, false]);
  await send();
  assert.deepEqual([asked[1].chain, "claimedChain" in asked[1], asked[1].send], ["solana:devnet", false, true]);
});

test("words that a script puts on every object are not the wallet's options", async (t) => {
  const polluted = {
    host: "bank.test",
    endpoints: { "solana:devnet": "https://bank.test/" },
    chains: ["solana:devnet"],
    "solana:testnet": "https://bank.test/",
    lookupTables: () => ({}),
  };
  Object.assign(Object.prototype, polluted);
  t.after(() => Object.keys(polluted).forEach((name) => delete Object.prototype[name]));
  const { connect, features, handle, wallet } = registered();
  assert.equal(features["solana:signAndSendTransaction"], undefined);
  assert.equal(wallet.chains.length, 3);
  await connect();
  const [{ signedMessage }] = await features["solana:signIn"].signIn({});
  assert.match(new TextDecoder().decode(signedMessage), /^dapp\.example /);
  handle.unregister();
  const sending = registered({ endpoints: Object.assign(Object.create(null), { "solana:devnet": "http://127.0.0.1:1/" }) });
  const [account] = (await sending.connect()).accounts;
  const { signAndSendTransaction } = sending.features["solana:signAndSendTransaction"];
  await assert.rejects(signAndSendTransaction({ account, transaction: new Uint8Array(9), chain: "solana:testnet" }), code("no-endpoint"));
  sending.handle.unregister();
});

test("after it was unregistered it connects nobody and signs nothing", async () => {
  const { calls, connect, features, handle } = registered();
  const [account] = (await connect()).accounts;
  handle.unregister();
  const before = calls.connect;
  const signing = features["solana:signMessage"].signMessage({ account, message: utf8("x") });
  for (const call of [connect(), connect({ silent: true }), features["solana:signIn"].signIn({}), signing]) {
    await assert.rejects(call, code("disconnected"));
  }
  await assert.rejects(features["solana:signTransaction"].signTransaction({ account, transaction: new Uint8Array(9) }), code("disconnected"));
  assert.equal(calls.connect, before);
});

test("a transaction is signed with the very lookup tables that it was shown with", async () => {
  const signer = vault.solana();
  const given = [];
  const table = { lookupTables: ["table"] };
  const wallet = {
    address: signer.address,
    publicKey: signer.publicKey,
    lookupTables: () => ["table"],
    inspect: (wire, config) => given.push(structuredClone(config)) && signer.inspect(wire),
    signTransactionBytes: (wire, config) => given.push(config) && signer.signTransactionBytes(wire),
  };
  let fetched = 0;
  const held = { table: ["first"] };
  const { connect, features, handle } = registered({
    connect: async () => [wallet],
    lookupTables: (names) => {
      assert.deepEqual(names, table.lookupTables);
      fetched += 1;
      return held;
    },
    confirm: async () => {
      held.table = ["second"];
      return true;
    },
  });
  const [account] = (await connect()).accounts;
  const [v0] = transfers(new web3.PublicKey(account.address), [0]);
  await features["solana:signTransaction"].signTransaction({ account, transaction: v0.serialize() });
  assert.equal(fetched, 1);
  assert.deepEqual(given, Array(2).fill({ lookupTables: { table: ["first"] } }));
  handle.unregister();
});

test("no dapp can change an account's key, nor see what an error was caused by", async (t) => {
  const { account, send } = await sender(t, () => undefined);
  account.publicKey.fill(0);
  assert.deepEqual(account.publicKey, vault.solana().publicKey);
  await assert.rejects(send(), (error) => code("outcome-unknown")(error) && error.cause === undefined);
  const { connect, features, handle } = registered({ confirm: () => Promise.reject(new Error("https://secret.example")) });
  const [own] = (await connect()).accounts;
  await assert.rejects(features["solana:signMessage"].signMessage({ account: own, message: utf8("hello") }), (error) => {
    assert.deepEqual([error.code, { ...error.cause }], ["rejected", { code: 4001, message: error.message }]);
    return true;
  });
  handle.unregister();
});

test("the end of a prompt that a disconnect ended leaves the next one alone", async () => {
  const answers = [];
  const { connect, handle } = registered({ connect: () => new Promise((answer) => answers.push(answer)) });
  const first = connect();
  handle.disconnect();
  const second = connect();
  answers[0]([vault.solana()]);
  await assert.rejects(first, code("not-connected"));
  const third = connect();
  assert.equal(answers.length, 2, "the third shares the second's prompt");
  answers[1]([vault.solana()]);
  assert.deepEqual(await second, await third);
  handle.unregister();
});
