// A dapp in a real browser, under the strictest policy, meets the test wallet; so does one in the test's own process.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import web3 from "@solana/web3.js";
import bs58 from "bs58";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { parseTransaction, recoverMessageAddress, recoverTransactionAddress } from "viem";

import { KeywardError } from "../dist/index.js";
import { headlessWallet, installWallet } from "../dist/testing.js";

const POLICY =
  "default-src 'none'; script-src 'self'; connect-src 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
const ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
const PUBLIC_ADDRESSES = {
  solana: ["oeYf6KAJkLYhBuR8CiGc6L4D4Xtfepr85fuDgA9kq96"],
  evm: ["0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"],
};
const code = (wanted) => (error) => {
  assert.ok(error instanceof KeywardError, String(error));
  assert.equal(error.code, wanted);
  return true;
};
/** What a dapp is: it looks for wallets by the usual libraries and keeps them for the test to drive. */
const DAPP = `
  import { getWallets } from "@wallet-standard/app";
  import { createWalletClient, custom } from "viem";
  const dapp = { wallets: () => getWallets().get(), providers: [], changes: [], createWalletClient, custom, violations: [] };
  addEventListener("securitypolicyviolation", (event) => dapp.violations.push(event.violatedDirective));
  addEventListener("eip6963:announceProvider", (event) => dapp.providers.push(event.detail));
  dispatchEvent(new Event("eip6963:requestProvider"));
  window.dapp = dapp;
`;
let browser;
let server;
let origin;

before(async () => {
  const resolveDir = fileURLToPath(new URL("..", import.meta.url));
  const options = { bundle: true, format: "iife", write: false, target: "es2022", logLevel: "silent" };
  const { outputFiles } = await build({ ...options, stdin: { contents: DAPP, resolveDir } });
  server = createServer((request, response) => {
    const isScript = request.url === "/dapp.js";
    response.setHeader("content-security-policy", POLICY);
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? outputFiles[0].text : "<!doctype html><title>dapp</title><script src=/dapp.js></script>");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${server.address().port}`;
  const executablePath = process.env.KEYWARD_TEST_CHROMIUM ?? "/usr/bin/chromium";
  browser = await chromium.launch({ executablePath, args: [...ARGUMENTS, "--disable-quic", "--disable-gpu"] });
});

after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

/** A page with a test wallet, on the dapp. */
async function visited(t, options) {
  const page = await browser.newPage();
  t.after(() => page.close());
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && !message.text().includes("favicon") && errors.push(message.text()));
  const wallet = await installWallet(page, options);
  t.after(() => wallet.free());
  await page.goto(origin);
  return { page, wallet, errors };
}

function transfer(from, version) {
  const payer = new web3.PublicKey(from);
  const instructions = [web3.SystemProgram.transfer({ fromPubkey: payer, toPubkey: web3.SystemProgram.programId, lamports: 5 })];
  const message = new web3.TransactionMessage({ payerKey: payer, recentBlockhash: "4uQeVj5tqViQh7yWWGStvkEG1Zmhx6uasJtWCJziofM", instructions });
  return new web3.VersionedTransaction(version === 0 ? message.compileToV0Message() : message.compileToLegacyMessage());
}

async function verified(signature, message, address) {
  const key = await crypto.subtle.importKey("raw", bs58.decode(address), "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, Uint8Array.from(signature), Uint8Array.from(message));
}

test("a dapp under a strict policy discovers it, connects and has transactions, messages and sign-ins signed", async (t) => {
  const { page, wallet, errors } = await visited(t, { answer: "approve" });
  page.setDefaultTimeout(60_000);
  assert.deepEqual(wallet.addresses, PUBLIC_ADDRESSES);
  const [address] = wallet.addresses.solana;
  const found = await page.evaluate(async () => {
    const [own, ...others] = window.dapp.wallets();
    own.features["standard:events"].on("change", ({ accounts }) => window.dapp.changes.push(accounts.length));
    const silent = await own.features["standard:connect"].connect({ silent: true });
    const { accounts } = await own.features["standard:connect"].connect();
    const [account] = accounts;
    const { name, icon, chains, version } = own;
    const same = own.accounts[0] === account && Object.isFrozen(account);
    return { others: others.length, name, icon, chains, version, silent: silent.accounts.length, same, address: account.address, features: account.features };
  });
  assert.deepEqual({ ...found, icon: "" }, {
    others: 0,
    name: "TEST Keyward",
    icon: "",
    chains: ["solana:mainnet", "solana:devnet", "solana:testnet"],
    version: "1.0.0",
    silent: 0,
    same: true,
    address,
    features: ["solana:signTransaction", "solana:signMessage", "solana:signIn"],
  });
  assert.match(Buffer.from(found.icon.split(",")[1], "base64").toString(), /^<svg .*>TEST<\/text><\/svg>$/);
  const wires = ["legacy", 0].map((version) => transfer(address, version).serialize());
  const signed = await page.evaluate(async (given) => {
    const [own] = window.dapp.wallets();
    const [account] = own.accounts;
    const inputs = given.map((wire) => ({ account, transaction: Uint8Array.from(wire), chain: "solana:devnet" }));
    const transactions = await own.features["solana:signTransaction"].signTransaction(...inputs);
    const message = new TextEncoder().encode("hello");
    const [text] = await own.features["solana:signMessage"].signMessage({ account, message });
    const [signIn] = await own.features["solana:signIn"].signIn({ statement: "Welcome" });
    return {
      transactions: transactions.map((output) => [...output.signedTransaction]),
      text: [...text.signature],
      signIn: { message: [...signIn.signedMessage], signature: [...signIn.signature], same: signIn.account === account },
    };
  }, wires.map((wire) => [...wire]));
  for (const wire of signed.transactions) {
    const transaction = web3.VersionedTransaction.deserialize(Uint8Array.from(wire));
    assert.ok(await verified(transaction.signatures[0], transaction.message.serialize(), address));
  }
  assert.ok(await verified(signed.text, Buffer.from("hello"), address));
  assert.ok(await verified(signed.signIn.signature, signed.signIn.message, address));
  assert.ok(signed.signIn.same);
  assert.ok(Buffer.from(signed.signIn.message).toString().startsWith(`${new URL(origin).host} wants you to sign in`));
  assert.deepEqual(wallet.requests.map((request) => request.kind), ["connect", "transaction", "transaction", "message", "sign-in"]);
  assert.equal(wallet.requests[1].review.actions[0].lamports, "5");
  const gone = page.evaluate(() => new Promise((resolve) => window.dapp.wallets()[0].features["standard:events"].on("change", resolve)));
  await page.evaluate(() => undefined);
  wallet.disconnect();
  await gone;
  assert.deepEqual(await page.evaluate(() => [window.dapp.changes, window.dapp.wallets()[0].accounts.length]), [[1, 0], 0]);
  assert.deepEqual(await page.evaluate(() => window.dapp.violations), []);
  assert.deepEqual(errors, []);
});

test("a dapp finds its EIP-6963 provider, connects and signs with viem", async (t) => {
  const { page, wallet, errors } = await visited(t, { answer: "approve", name: "of mine", chains: { evm: [{ chainId: 10 }, { chainId: 1 }] } });
  const outcome = await page.evaluate(async () => {
    const [{ info, provider }] = window.dapp.providers;
    const events = [];
    provider.on("accountsChanged", (accounts) => events.push(accounts));
    provider.on("chainChanged", (chain) => events.push(chain));
    const client = window.dapp.createWalletClient({ transport: window.dapp.custom(provider) });
    const [account] = await client.requestAddresses();
    await client.switchChain({ id: 1 });
    const signature = await client.signMessage({ account, message: "hello" });
    const transaction = { from: account, to: account, value: "0x5", nonce: "0x0", gas: "0x5208", maxFeePerGas: "0x2", maxPriorityFeePerGas: "0x1" };
    const signed = await provider.request({ method: "eth_signTransaction", params: [transaction] });
    const failure = await provider.request({ method: "eth_sign", params: [] }).catch((error) => [error.name, error.code, error instanceof Error]);
    return { account, events, failure, info, signature, signed, count: window.dapp.providers.length };
  });
  const [address] = wallet.addresses.evm;
  assert.equal(outcome.account, address);
  assert.deepEqual(outcome.events, [[address], "0x1"]);
  assert.deepEqual(outcome.failure, ["ProviderRpcError", 4200, true]);
  assert.deepEqual([outcome.info.name, outcome.info.rdns, outcome.count], ["TEST of mine", "test.keyward.headless", 1]);
  assert.equal(await recoverMessageAddress({ message: "hello", signature: outcome.signature }), address);
  assert.equal(await recoverTransactionAddress({ serializedTransaction: outcome.signed }), address);
  assert.equal(parseTransaction(outcome.signed).chainId, 1);
  assert.deepEqual(wallet.requests.map((request) => [request.standard, request.kind]), [
    ["eip6963", "connect"],
    ["eip6963", "message"],
    ["eip6963", "transaction"],
  ]);
  assert.deepEqual(errors, []);
});

test("what the script denies is denied, and the script may change its mind", async (t) => {
  const { page, wallet } = await visited(t, { answer: "deny" });
  const connect = () =>
    page.evaluate(async () => {
      const [own] = window.dapp.wallets();
      const [{ provider }] = window.dapp.providers;
      const name = (error) => [error.name, error.code, error.message, error.cause?.code];
      const standard = await own.features["standard:connect"].connect().then(({ accounts }) => accounts.length, name);
      const evm = await provider.request({ method: "eth_requestAccounts" }).then((accounts) => accounts.length, name);
      return { standard, evm };
    });
  const sign = () =>
    page.evaluate(async () => {
      const [own] = window.dapp.wallets();
      const message = new TextEncoder().encode("hello");
      return own.features["solana:signMessage"].signMessage({ account: own.accounts[0], message }).then((signed) => signed.length, (error) => error.code);
    });
  assert.deepEqual(await connect(), {
    standard: ["KeywardError", "rejected", "User rejected the request.", 4001],
    evm: ["ProviderRpcError", 4001, "User rejected the request.", undefined],
  });
  wallet.setAnswer((request) => request.kind === "connect");
  assert.deepEqual(await connect(), { standard: 1, evm: 1 });
  assert.equal(await sign(), "rejected");
  wallet.setAnswer(async (request) => request.review.text === "hello");
  assert.equal(await sign(), 1);
  wallet.setAnswer("yes please".slice(0, 3) === "yes" ? () => "yes" : "deny");
  assert.equal(await sign(), "rejected", "only true is yes");
  assert.throws(() => wallet.setAnswer("maybe"), code("argument"));
  await page.reload();
  const silent = () => page.evaluate(async () => (await window.dapp.wallets()[0].features["standard:connect"].connect({ silent: true })).accounts.length);
  assert.equal(await silent(), 1, "a connection outlives a reload, as an extension's does");
  wallet.free();
  assert.equal(await page.evaluate(() => window.dapp.wallets()[0].accounts.length).then(() => sign()), "terminated");
  wallet.free();
});

test("each host has a connection of its own, and two wallets do not mix", async (t) => {
  const seed = new Uint8Array(32).fill(9);
  const { page, wallet } = await visited(t, { answer: "approve", keys: [{ key: new TextEncoder().encode(bs58.encode(seed)), chain: "solana" }] });
  const other = await installWallet(page, { answer: "deny", name: "second" });
  t.after(() => other.free());
  assert.deepEqual(wallet.addresses, { solana: [web3.Keypair.fromSeed(seed).publicKey.toBase58()], evm: [] });
  await page.reload();
  const connect = (input) =>
    page.evaluate(async (given) => {
      const wallets = window.dapp.wallets();
      const outcomes = wallets.map((own) => own.features["standard:connect"].connect(given).then(({ accounts }) => accounts.length, (error) => error.code));
      return [wallets.map((own) => own.name), await Promise.all(outcomes)];
    }, input);
  assert.deepEqual(await connect(), [["TEST Keyward", "TEST second"], [1, "rejected"]]);
  await page.goto(origin.replace("127.0.0.1", "localhost"));
  assert.deepEqual((await connect({ silent: true }))[1], [0, 0]);
});

test("in the test's own process it registers on the window, and is gone when it is freed", async () => {
  globalThis.window = Object.assign(new EventTarget(), { location: { host: "dapp.example" } });
  const { getWallets } = await import("@wallet-standard/app");
  const wallet = await headlessWallet({ answer: "approve" });
  const [own] = getWallets().get();
  assert.equal(own.name, "TEST Keyward");
  const { accounts } = await own.features["standard:connect"].connect();
  assert.deepEqual(accounts.map((account) => account.address), wallet.addresses.solana);
  const [{ signedMessage }] = await own.features["solana:signIn"].signIn({});
  assert.match(new TextDecoder().decode(signedMessage), /^dapp\.example wants/);
  wallet.disconnect();
  assert.deepEqual(own.accounts, []);
  wallet.free();
  assert.deepEqual(getWallets().get(), []);
  delete globalThis.window;
});

test("it is for tests: in Node alone, with a page that can take it, and an answer", async () => {
  const page = { exposeFunction: async () => undefined };
  await assert.rejects(installWallet(page, { answer: "approve" }), code("argument"));
  await assert.rejects(installWallet({ ...page, addInitScript: async () => undefined }, { answer: "perhaps" }), code("argument"));
  await assert.rejects(installWallet({ ...page, addInitScript: async () => undefined }, { answer: "approve", phrase: "text" }), code("argument"));
  const scripts = [];
  const puppeteer = { ...page, evaluateOnNewDocument: async (script) => scripts.push(script) };
  const wallet = await installWallet(puppeteer, { answer: "approve" });
  assert.match(scripts[0], /TEST Keyward/);
  assert.doesNotMatch(scripts[0], /junk|WebAssembly|\beval\(/);
  wallet.free();
  const { versions } = process;
  Object.defineProperty(process, "versions", { value: {}, configurable: true });
  try {
    await assert.rejects(headlessWallet({ answer: "approve" }), code("environment"));
    await assert.rejects(installWallet(puppeteer, { answer: "approve" }), code("environment"));
  } finally {
    Object.defineProperty(process, "versions", { value: versions, configurable: true });
  }
});

test("it refuses to work in Electron's pages and their workers, which have Node as well", async (t) => {
  t.after(() => delete process.type);
  for (const type of ["renderer", "worker"]) {
    process.type = type;
    await assert.rejects(headlessWallet({ answer: "approve" }), { code: "environment" });
    await assert.rejects(installWallet({ exposeFunction: async () => assert.fail("asked") }, { answer: "approve" }), { code: "environment" });
  }
});
