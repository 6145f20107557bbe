// Ethereum's own libraries find the provider, connect and have things signed and sent.
import assert from "node:assert/strict";
import { randomBytes, randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { before, test } from "node:test";

import { BrowserProvider, Transaction, verifyMessage, verifyTypedData } from "ethers";
import { createWalletClient, custom, recoverMessageAddress, recoverTransactionAddress, recoverTypedDataAddress } from "viem";
import { parseTransaction, serializeTransaction, stringToHex } from "viem";
import { mainnet, optimism } from "viem/chains";
import { createSiweMessage } from "viem/siwe";

import * as keyward from "../dist/index.js";
import { ProviderRpcError, registerProvider } from "../dist/eip6963.js";
import { readTransaction, serialize } from "../dist/eip6963/transaction.js";
import { startAnvil } from "../support/anvil.mjs";

globalThis.window = Object.assign(new EventTarget(), { location: { host: "dapp.example" } });

const utf8 = (text) => new TextEncoder().encode(text);
const fixture = (name) => new Uint8Array(readFileSync(new URL(`../../tests/fixtures/${name}`, import.meta.url)));
const mail = JSON.parse(new TextDecoder().decode(fixture("mail.json")));
const icon = "data:image/svg+xml;base64,PHN2Zy8+";
const PASSWORD = "correct horse battery staple";
const TO = mail.message.to.wallet;
const CHAINS = [{ chainId: 1 }, { chainId: 10 }];
const failed = (number, code) => (error) => {
  assert.ok(error instanceof ProviderRpcError && error instanceof Error, String(error));
  assert.deepEqual([error.code, error.data?.code], [number, code], error.message);
  return true;
};
let vault;
let signer;

before(async () => {
  await keyward.init();
  vault = await keyward.openVault(fixture("native.keyward"), utf8(PASSWORD));
  signer = vault.evm();
});

/** Registers a provider that keeps what it was asked, and finds it as a dapp does. */
function registered(t, options = {}) {
  const asked = [];
  const calls = { connect: 0 };
  const found = [];
  const listen = (event) => found.push(event.detail);
  window.addEventListener("eip6963:announceProvider", listen);
  const handle = registerProvider({
    name: "Keyward",
    icon,
    rdns: "example.keyward",
    chains: CHAINS,
    connect: async () => {
      calls.connect += 1;
      return [signer];
    },
    confirm: async (request) => {
      asked.push(request);
      return true;
    },
    ...options,
  });
  window.removeEventListener("eip6963:announceProvider", listen);
  t.after(() => handle.unregister());
  const { provider } = found[0];
  const request = (method, ...params) => provider.request({ method, params });
  return { asked, calls, detail: found[0], handle, provider, request };
}

/** A node on loopback that answers by a table of methods: values, functions of the parameters, errors, or nothing. */
async function fakeNode(t, table) {
  const calls = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      const call = JSON.parse(body);
      calls.push(call);
      const entry = table[call.method] ?? { error: { code: -32601, message: "the method does not exist" } };
      const given = typeof entry === "function" ? entry(call.params) : entry;
      if (given === "hang up") {
        response.destroy();
        return;
      }
      const answer = typeof given === "object" && given !== null && "error" in given ? given : { result: given };
      response.end(JSON.stringify({ jsonrpc: "2.0", id: call.id, ...answer }));
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { calls, table, endpoint: `http://127.0.0.1:${server.address().port}/` };
}

const ANSWERS = {
  eth_chainId: "0x1",
  eth_getTransactionCount: "0x7",
  eth_getBlockByNumber: { baseFeePerGas: "0x3b9aca00" },
  eth_maxPriorityFeePerGas: "0x5f5e100",
  eth_estimateGas: "0xc350",
  eth_sendRawTransaction: `0x${"ab".repeat(32)}`,
};

test("dapps that come before or after are told of it, once each, with what cannot be changed", (t) => {
  const { detail, handle } = registered(t);
  assert.ok(Object.isFrozen(detail) && Object.isFrozen(detail.info) && Object.isFrozen(detail.provider));
  assert.match(detail.info.uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual({ ...detail.info, uuid: "" }, { uuid: "", name: "Keyward", icon, rdns: "example.keyward" });
  const found = [];
  const listen = (event) => found.push(event.detail);
  window.addEventListener("eip6963:announceProvider", listen);
  t.after(() => window.removeEventListener("eip6963:announceProvider", listen));
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  assert.deepEqual(found, [detail]);
  handle.unregister();
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  assert.equal(found.length, 1);
});

test("viem connects, signs messages, typed data and transactions of every kind, and recovers who signed", async (t) => {
  const { asked, provider } = registered(t);
  const client = createWalletClient({ chain: mainnet, transport: custom(provider) });
  assert.deepEqual(await client.getAddresses(), []);
  const [account] = await client.requestAddresses();
  assert.equal(account, signer.address);
  assert.equal(await client.getChainId(), 1);
  for (const message of ["hello", { raw: stringToHex("two\nlines ✓") }]) {
    const signature = await client.signMessage({ account, message });
    assert.equal(await recoverMessageAddress({ message, signature }), account);
  }
  assert.deepEqual(asked.map((own) => [own.kind, own.address, own.chainId, own.review.text]), [
    ["message", account, 1, "hello"],
    ["message", account, 1, "two\nlines ✓"],
  ]);
  const { EIP712Domain: _, ...types } = mail.types;
  const document = { ...mail, types, domain: { ...mail.domain, chainId: 1 } };
  const signature = await client.signTypedData({ account, ...document });
  assert.equal(await recoverTypedDataAddress({ ...document, signature }), account);
  assert.equal(asked.at(-1).review.primaryType, "Mail");
  const common = { account, nonce: 3, gas: 50_000n, to: TO, value: 5n };
  const accessList = [{ address: TO, storageKeys: [`0x${"01".repeat(32)}`] }];
  for (const fees of [
    { type: "legacy", gasPrice: 10n ** 9n },
    { type: "eip2930", gasPrice: 10n ** 9n, accessList },
    { type: "eip1559", maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 9n, accessList },
  ]) {
    const { account: from, ...transaction } = { ...common, ...fees };
    const hex = Object.fromEntries(
      Object.entries(transaction).map(([name, value]) => [name, ["bigint", "number"].includes(typeof value) ? `0x${value.toString(16)}` : value]),
    );
    const type = { legacy: "0x0", eip2930: "0x1", eip1559: "0x2" }[fees.type];
    const signed = await provider.request({ method: "eth_signTransaction", params: [{ ...hex, from, type, chainId: "0x1" }] });
    assert.equal(await recoverTransactionAddress({ serializedTransaction: signed }), account);
    const parsed = parseTransaction(signed);
    assert.deepEqual([parsed.type, parsed.value, parsed.nonce, parsed.chainId], [fees.type, 5n, 3, 1]);
    assert.deepEqual([asked.at(-1).send, asked.at(-1).review.nonce, asked.at(-1).review.valueWei], [false, "3", "5"]);
  }
  await client.switchChain({ id: optimism.id });
  assert.equal(await client.getChainId(), 10);
  await assert.rejects(client.switchChain({ id: 5 }), { name: "SwitchChainError" });
  await assert.rejects(client.signTypedData({ account, ...document }), /is for chain 1 and the provider is on 10/);
});

test("ethers connects and signs; what is rejected reads as a rejection in both", async (t) => {
  let answer = true;
  const { provider } = registered(t, { confirm: async () => answer });
  const own = new BrowserProvider(provider);
  const account = await own.getSigner();
  assert.equal(account.address, signer.address);
  assert.equal(verifyMessage("hello", await account.signMessage("hello")), signer.address);
  const { EIP712Domain: _, ...types } = mail.types;
  const domain = { ...mail.domain, chainId: 1 };
  const signature = await account.signTypedData(domain, types, mail.message);
  assert.equal(verifyTypedData(domain, types, mail.message, signature), signer.address);
  const client = createWalletClient({ chain: mainnet, transport: custom(provider) });
  for (const no of [false, "yes", 1, undefined]) {
    answer = no;
    await assert.rejects(account.signMessage("hello"), { code: "ACTION_REJECTED" });
    await assert.rejects(client.signMessage({ account: signer.address, message: "hello" }), (error) => {
      assert.equal(error.walk((inner) => inner.code === 4001)?.name, "UserRejectedRequestError");
      return true;
    });
  }
  own.destroy();
});

test("the unsigned bytes are viem's, for many random transactions", () => {
  const number = (bits) => BigInt(`0x${randomBytes(Math.ceil(bits / 8)).toString("hex")}`) >> BigInt(randomInt(bits));
  const hex = (value) => `0x${value.toString(16)}`;
  const address = () => `0x${randomBytes(20).toString("hex")}`;
  for (let round = 0; round < 600; round += 1) {
    const kind = ["legacy", "eip2930", "eip1559"][round % 3];
    const common = {
      chainId: randomInt(1, 2 ** 40),
      nonce: randomInt(0, 2 ** 40),
      gas: number(63),
      to: round % 7 === 0 ? undefined : address(),
      value: number(255),
      data: `0x${randomBytes([1, 2, 55, 56, 57, 300, 70_000][randomInt(7)]).toString("hex")}`,
    };
    const accessList = Array.from({ length: randomInt(4) }, () => ({
      address: address(),
      storageKeys: Array.from({ length: randomInt(3) }, () => `0x${randomBytes(32).toString("hex")}`),
    }));
    const most = number(200) + 1n;
    const fees = kind === "eip1559" ? { maxFeePerGas: most, maxPriorityFeePerGas: most / 3n } : { gasPrice: number(200) };
    const lists = kind === "legacy" ? {} : { accessList };
    const wanted = serializeTransaction({ ...common, ...fees, ...lists, type: kind });
    const written = (value) => (typeof value === "string" || value === undefined ? value : hex(value));
    const quantities = Object.fromEntries(Object.entries({ ...common, ...fees }).map(([name, value]) => [name, written(value)]));
    const read = readTransaction({ ...quantities, ...lists, from: address() }, common.chainId);
    const { from: _, gasPrice, maxFeePerGas, maxPriorityFeePerGas, ...rest } = read;
    const whole = { ...rest, chainId: BigInt(common.chainId), fees: kind === "eip1559" ? { maxFeePerGas, maxPriorityFeePerGas } : { gasPrice } };
    assert.equal(Buffer.from(serialize(whole)).toString("hex"), wanted.slice(2), JSON.stringify(quantities));
  }
});

test("a transaction that is not exactly one is refused before anybody is asked", async (t) => {
  const { asked, request } = registered(t);
  await request("eth_requestAccounts");
  const good = { from: signer.address, to: TO, nonce: "0x0", gas: "0x5208", gasPrice: "0x1", value: "0x0" };
  assert.match(await request("eth_signTransaction", good), /^0x/);
  assert.match(await request("eth_signTransaction", { ...good, gas: undefined, gasLimit: "0x5208", data: null, input: "0x" }), /^0x/);
  const before = asked.length;
  const wrong = [
    { value: "0x00" }, { value: "0x01" }, { value: "0x" }, { value: "1" }, { value: 1 }, { value: "0x-1" }, { value: "0x1 " }, { value: "0X1" },
    { value: `0x1${"0".repeat(64)}` }, { nonce: "0xffffffffffffffff" }, { gas: `0x1${"0".repeat(16)}` },
    { to: "0x1234" }, { to: "" }, { to: undefined }, { from: undefined }, { from: "me" },
    { data: "0x123" }, { data: "zz" }, { data: "0x01", input: "0x02" }, { gasLimit: "0x5209" }, { data: `0x${"00".repeat(131_073)}` },
    { maxFeePerGas: "0x1" }, { gasPrice: undefined, maxFeePerGas: "0x1", maxPriorityFeePerGas: "0x2" }, { gasPrice: undefined },
    { type: "0x2" }, { type: "0x3" }, { type: "0x0", accessList: [] }, { chainId: "0xa" }, { chainId: 1 },
    { accessList: {} }, { accessList: [{ address: TO }] }, { accessList: [{ address: TO, storageKeys: ["0x1"] }] },
    { blobVersionedHashes: [] }, { maxFeePerBlobGas: "0x1" }, { privateFor: "x" },
  ];
  for (const change of wrong) {
    await assert.rejects(request("eth_signTransaction", { ...good, ...change }), failed(-32602, "argument"), JSON.stringify(change).slice(0, 80));
  }
  for (const given of [undefined, null, "0x", [good]]) {
    await assert.rejects(request("eth_signTransaction", given), failed(-32602, "argument"));
  }
  await assert.rejects(request("eth_signTransaction", { ...good, authorizationList: [] }), failed(4200, "refused"));
  await assert.rejects(request("eth_signTransaction", { ...good, type: "0x4" }), failed(4200, "refused"));
  await assert.rejects(request("eth_signTransaction", { ...good, from: TO }), failed(4100, "not-connected"));
  await assert.rejects(request("eth_sendTransaction", good), failed(4200, "no-endpoint"));
  assert.equal(asked.length, before);
});

test("every call has its answer or its number", async (t) => {
  const { calls, handle, provider, request } = registered(t);
  assert.deepEqual(await request("eth_accounts"), []);
  assert.deepEqual(await request("wallet_getPermissions"), []);
  assert.equal(await request("eth_chainId"), "0x1");
  assert.equal(await request("net_version"), "1");
  assert.equal(calls.connect, 0);
  await assert.rejects(request("personal_sign", stringToHex("hello"), signer.address), failed(4100, "not-connected"));
  await assert.rejects(request("eth_signTypedData_v4", signer.address, mail), failed(4100, "not-connected"));
  for (const method of ["eth_sign", "eth_signTypedData", "eth_signTypedData_v3", "eth_sendRawTransaction", "wallet_watchAsset", "eth_subscribe", "toString"]) {
    await assert.rejects(request(method, signer.address, "0x00"), failed(4200, "method"));
  }
  await assert.rejects(request("eth_sign", signer.address, "0x00"), /signs what nobody can read/);
  await assert.rejects(request("eth_getBalance", signer.address, "latest"), failed(4901, "no-endpoint"));
  for (const call of [undefined, null, {}, { method: 1 }, { method: "eth_accounts", params: 7 }, { method: "eth_accounts", params: [1n] }]) {
    await assert.rejects(provider.request(call), failed(-32602, "argument"));
  }
  await assert.rejects(request("eth_call", "x".repeat(1_000_001)), failed(-32602, "too-long"));
  await assert.rejects(request("wallet_switchEthereumChain", { chainId: "0x5" }), failed(4902, "chain"));
  await assert.rejects(request("wallet_addEthereumChain", { chainId: "0x5", rpcUrls: ["https://rpc.example"] }), failed(4200, "chain"));
  for (const chainId of [undefined, 1, "1", "0x01", "0x"]) {
    await assert.rejects(request("wallet_switchEthereumChain", { chainId }), failed(-32602, "argument"));
  }
  assert.equal(await request("wallet_addEthereumChain", { chainId: "0xa" }), null);
  assert.equal(await request("eth_chainId"), "0xa");
  await assert.rejects(request("wallet_requestPermissions", { eth_accounts: {}, eth_keys: {} }), failed(4200, "method"));
  await assert.rejects(request("wallet_requestPermissions"), failed(-32602, "argument"));
  const [permission] = await request("wallet_requestPermissions", { eth_accounts: {} });
  assert.equal(permission.parentCapability, "eth_accounts");
  assert.deepEqual(permission.caveats, [{ type: "restrictReturnedAccounts", value: [signer.address] }]);
  assert.deepEqual(await request("eth_accounts"), [signer.address]);
  await request("wallet_revokePermissions", { eth_accounts: {} });
  assert.deepEqual(await request("eth_accounts"), []);
  handle.unregister();
  await assert.rejects(request("eth_accounts"), failed(4900, "disconnected"));
});

test("events come when something changed, and only then", async (t) => {
  const { calls, handle, provider, request } = registered(t);
  const seen = [];
  for (const event of ["connect", "disconnect", "chainChanged", "accountsChanged", "message"]) {
    provider.on(event, (value) => seen.push([event, value instanceof Error ? value.code : value]));
  }
  const removed = () => seen.push("removed");
  assert.equal(provider.on("accountsChanged", removed), provider);
  assert.equal(provider.removeListener("accountsChanged", removed), provider);
  provider.on("accountsChanged", () => {
    throw new Error("a dapp's fault");
  });
  await Promise.all([request("eth_requestAccounts"), request("eth_requestAccounts")]);
  await request("eth_requestAccounts");
  assert.equal(calls.connect, 1, "one prompt for all");
  await request("wallet_switchEthereumChain", { chainId: "0xa" });
  await request("wallet_switchEthereumChain", { chainId: "0xa" });
  handle.disconnect();
  handle.disconnect();
  handle.unregister();
  assert.deepEqual(seen, [
    ["connect", { chainId: "0x1" }],
    ["accountsChanged", [signer.address]],
    ["chainChanged", "0xa"],
    ["accountsChanged", []],
    ["disconnect", 4900],
  ]);
});

test("messages: text or digits, either order, and nothing that hides what it is", async (t) => {
  const { asked, request } = registered(t);
  await request("eth_requestAccounts");
  const lower = signer.address.toLowerCase();
  for (const params of [[stringToHex("hello"), lower], [lower, stringToHex("hello")], ["hello", signer.address]]) {
    assert.equal(await recoverMessageAddress({ message: "hello", signature: await request("personal_sign", ...params) }), signer.address);
  }
  const before = asked.length;
  await assert.rejects(request("personal_sign", "0x123", lower), failed(-32602, "argument"));
  await assert.rejects(request("personal_sign", 7, lower), failed(-32602, "argument"));
  await assert.rejects(request("personal_sign", "hello"), failed(-32602, "argument"));
  await assert.rejects(request("personal_sign", `0x${"5a".repeat(31)}ff`, lower), failed(4001, "refused"), "a hash");
  await assert.rejects(request("personal_sign", serializeTransaction({ chainId: 1, to: TO, gasPrice: 1n }), lower), failed(4001, "refused"));
  assert.equal(asked.length, before);
});

test("a sign-in with Ethereum is for this page, or is not signed", async (t) => {
  const { asked, request } = registered(t);
  await request("eth_requestAccounts");
  const fields = { address: signer.address, chainId: 1, domain: "dapp.example", nonce: "abcdefgh1234", uri: "https://dapp.example/", version: "1" };
  const signIn = (change = {}) => createSiweMessage({ ...fields, issuedAt: new Date(), statement: "Welcome", ...change });
  const sign = (text) => request("personal_sign", stringToHex(text), signer.address);
  const minutes = (count) => new Date(Date.now() + count * 60_000);
  await assert.rejects(sign(signIn({ domain: "evil.example" })), failed(4100, "domain"));
  await assert.rejects(sign(signIn({ uri: "https://evil.example/" })), failed(4100, "domain"));
  await assert.rejects(sign(signIn({ address: TO })), failed(4100, "sign-in"));
  await assert.rejects(sign(signIn({ chainId: 10 })), failed(4100, "sign-in"));
  await assert.rejects(sign(signIn({ expirationTime: minutes(-1) })), failed(4100, "sign-in"));
  await assert.rejects(sign(signIn({ notBefore: minutes(1) })), failed(4100, "sign-in"));
  await assert.rejects(sign(signIn({ issuedAt: minutes(-11) })), failed(4100, "sign-in"));
  const text = signIn();
  const swapped = text.replace(/(Version: 1)\n(Chain ID: 1)/, "$2\n$1");
  const doubled = text.replace("Version: 1", "Version: 1\nVersion: 1");
  const others = [text.replace("Version: 1", "Version: 2"), text.replace(/\nNonce: .*/, ""), text.replace("Welcome", "two\nlines")];
  for (const broken of [` ${text}`, `${text}\nmore`, `hello\n${text}`, swapped, doubled, ...others]) {
    assert.notEqual(broken, text);
    await assert.rejects(sign(broken), failed(4100, "sign-in"), broken);
  }
  assert.equal(asked.length, 0);
  // Every check of the page passed, and the core has the last word.
  const outcome = await sign(text).then(
    async (signature) => (await recoverMessageAddress({ message: text, signature })) === signer.address && asked[0].kind === "sign-in",
    (error) => failed(4001, "refused")(error) && error.data.reasons[0].code === "sign-in-unchecked",
  );
  assert.equal(outcome, true);
});

test("a vault that was locked ends the connection, before and while the person is asked", async (t) => {
  const own = await keyward.openVault(fixture("native.keyward"), utf8(PASSWORD));
  const { provider, request } = registered(t, { connect: async () => [own.evm()] });
  const changes = [];
  provider.on("accountsChanged", (accounts) => changes.push(accounts.length));
  await request("eth_requestAccounts");
  own.lock();
  await assert.rejects(request("personal_sign", stringToHex("hello"), signer.address), failed(4100, "locked"));
  assert.deepEqual(await request("eth_accounts"), []);
  assert.deepEqual(changes, [1, 0]);
  const asking = registered(t, {
    confirm: async () => {
      asking.handle.disconnect();
      return true;
    },
  });
  await asking.request("eth_requestAccounts");
  await assert.rejects(asking.request("personal_sign", stringToHex("hello"), signer.address), failed(4100, "not-connected"));
  const refusing = registered(t, { connect: async () => [] });
  await assert.rejects(refusing.request("eth_requestAccounts"), failed(4001, "rejected"));
});

test("what a transaction lacks is filled in, and that is what is shown and signed", async (t) => {
  const node = await fakeNode(t, { ...ANSWERS });
  const { asked, request } = registered(t, { chains: [{ chainId: 1, endpoint: node.endpoint }] });
  await request("eth_requestAccounts");
  const own = { from: signer.address, to: TO, value: "0x5" };
  assert.equal(await request("eth_sendTransaction", own), ANSWERS.eth_sendRawTransaction);
  const raw = node.calls.at(-1).params[0];
  const sent = Transaction.from(raw);
  assert.equal(sent.from, signer.address);
  assert.deepEqual([sent.type, sent.nonce, sent.gasLimit, sent.maxPriorityFeePerGas, sent.maxFeePerGas], [2, 7, 60_000n, 10n ** 8n, 21n * 10n ** 8n]);
  assert.deepEqual([asked[0].send, asked[0].review.nonce, asked[0].review.maxFeeWei], [true, "7", String(60_000n * 21n * 10n ** 8n)]);
  assert.equal(node.calls.filter((call) => call.method === "eth_chainId").length, 1);
  node.table.eth_maxPriorityFeePerGas = undefined;
  node.table.eth_gasPrice = "0x3b9aca05";
  node.table.eth_estimateGas = "0x5208";
  const signed = Transaction.from(await request("eth_signTransaction", own));
  assert.deepEqual([signed.maxPriorityFeePerGas, signed.gasLimit], [5n, 21_000n]);
  node.table.eth_getBlockByNumber = {};
  assert.deepEqual(Transaction.from(await request("eth_signTransaction", own)).gasPrice, 1_000_000_005n);
  const given = { ...own, nonce: "0x1", gas: "0x5208", maxFeePerGas: "0x10", maxPriorityFeePerGas: "0x1" };
  const before = node.calls.length;
  assert.equal(Transaction.from(await request("eth_signTransaction", given)).maxFeePerGas, 16n);
  assert.equal(node.calls.length, before, "nothing is asked that was given");
});

test("a node that fails, lies or falls silent is told apart", async (t) => {
  const node = await fakeNode(t, { ...ANSWERS });
  const { asked, request } = registered(t, { chains: [{ chainId: 1, endpoint: node.endpoint }] });
  await request("eth_requestAccounts");
  const own = { from: signer.address, to: TO, value: "0x5" };
  node.table.eth_chainId = "0xa";
  await assert.rejects(request("eth_sendTransaction", own), failed(4901, "chain"));
  await assert.rejects(request("eth_blockNumber"), failed(4901, "chain"));
  node.table.eth_chainId = "0x1";
  node.table.eth_getTransactionCount = "seven";
  await assert.rejects(request("eth_sendTransaction", own), failed(4901, "node"));
  node.table.eth_getTransactionCount = "hang up";
  await assert.rejects(request("eth_sendTransaction", own), failed(4901, "node"));
  node.table.eth_getTransactionCount = "0x7";
  node.table.eth_estimateGas = { error: { code: 3, message: "execution reverted", data: "0x08c379a0" } };
  await assert.rejects(request("eth_sendTransaction", own), { code: 3, message: "execution reverted", data: "0x08c379a0" });
  assert.equal(asked.length, 0);
  node.table.eth_estimateGas = "0x5208";
  node.table.eth_sendRawTransaction = { error: { code: -32000, message: "insufficient funds" } };
  await assert.rejects(request("eth_sendTransaction", own), (error) => error.code === -32000 && /did not send it: insufficient/.test(error.message));
  for (const answer of ["hang up", "0x12", { error: { code: -32000, message: "already known" } }]) {
    node.table.eth_sendRawTransaction = answer;
    await assert.rejects(request("eth_sendTransaction", own), failed(-32603, "outcome-unknown"));
  }
  node.table.eth_getBalance = "0x64";
  assert.equal(await request("eth_getBalance", signer.address, "latest"), "0x64");
  assert.deepEqual(node.calls.at(-1).params, [signer.address, "latest"]);
  await assert.rejects(request("eth_call", {}), { code: -32601 });
});

test("on a real node, viem and ethers send; two at once have two nonces; a rejected one is not sent", async (t) => {
  const node = await startAnvil(t, 31337);
  let answer = true;
  const { asked, provider } = registered(t, {
    chains: [{ chainId: 31337, endpoint: node.url }],
    confirm: async (request) => asked.push(request) > 0 && answer,
  });
  const rpc = (method, ...params) => provider.request({ method, params });
  await node.call("anvil_setBalance", [signer.address, "0xde0b6b3a7640000"]);
  const chain = { ...mainnet, id: 31337 };
  const client = createWalletClient({ chain, transport: custom(provider) });
  const [account] = await client.requestAddresses();
  const hashes = await Promise.all([1n, 2n].map((value) => client.sendTransaction({ account, to: TO, value })));
  assert.equal(new Set(hashes).size, 2);
  for (const hash of hashes) {
    const receipt = await rpc("eth_getTransactionReceipt", hash);
    assert.equal(receipt.status, "0x1");
    assert.equal(receipt.from, signer.address.toLowerCase());
    assert.equal(receipt.type, "0x2");
  }
  assert.deepEqual(asked.map((own) => own.review.nonce), ["0", "1"]);
  const browser = new BrowserProvider(provider);
  const sent = await (await browser.getSigner()).sendTransaction({ to: TO, value: 3n });
  assert.equal((await sent.wait()).status, 1);
  assert.equal(await rpc("eth_getBalance", TO, "latest"), "0x6");
  answer = false;
  await assert.rejects(client.sendTransaction({ account, to: TO, value: 1n }), /User rejected/);
  assert.equal(await rpc("eth_getTransactionCount", signer.address, "latest"), "0x3");
  browser.destroy();
});

test("one dialog at a time, and none is shown or signed of what began before a disconnect", { timeout: 60_000 }, async (t) => {
  const open = [];
  let wake = () => {};
  const confirm = (asked) =>
    new Promise((answer) => {
      open.push({ asked, answer });
      wake();
    });
  const until = async (count) => {
    while (open.length < count) {
      await new Promise((resolve) => (wake = resolve));
    }
  };
  const { handle, request } = registered(t, { confirm });
  await request("eth_requestAccounts");
  const own = { from: signer.address, to: TO, value: "0x1", nonce: "0x0", gas: "0x5208", gasPrice: "0x1" };
  const sign = (text) => request("personal_sign", stringToHex(text), signer.address);
  const calls = [sign("one"), sign("two"), request("eth_signTransaction", own), request("eth_signTransaction", { ...own, nonce: "0x1" })];
  const outcomes = calls.map((call) => call.then(() => "signed", (error) => error.data.code));
  await until(1);
  open[0].answer(true);
  assert.equal(await outcomes[0], "signed");
  await until(2);
  assert.equal(open.length, 2);
  handle.disconnect();
  await request("eth_requestAccounts");
  open[1].answer(true);
  assert.deepEqual(await Promise.all(outcomes), ["signed", "not-connected", "not-connected", "not-connected"]);
  assert.equal(open.length, 2);
});

test("the end of a prompt that a disconnect ended leaves the next one alone", async (t) => {
  const answers = [];
  const { handle, request } = registered(t, { connect: () => new Promise((answer) => answers.push(answer)) });
  const first = request("eth_requestAccounts");
  handle.disconnect();
  const second = request("eth_requestAccounts");
  answers[0]([signer]);
  await assert.rejects(first, failed(4100, "not-connected"));
  const third = request("eth_requestAccounts");
  assert.equal(answers.length, 2, "the third shares the second's prompt");
  answers[1]([signer]);
  assert.deepEqual(await second, await third);
});

test("words that a script puts on every object are not the provider's options", async (t) => {
  const node = await fakeNode(t, { ...ANSWERS });
  const polluted = { host: "bank.test", endpoint: node.endpoint, uuid: "polluted" };
  Object.assign(Object.prototype, polluted);
  t.after(() => Object.keys(polluted).forEach((name) => delete Object.prototype[name]));
  const { detail, request } = registered(t);
  assert.notEqual(detail.info.uuid, "polluted");
  await request("eth_requestAccounts");
  await assert.rejects(request("eth_sendTransaction", { from: signer.address, to: TO }), failed(4200, "no-endpoint"));
  await assert.rejects(request("eth_blockNumber"), failed(4901, "no-endpoint"));
  const issued = { issuedAt: new Date(), nonce: "abcdefgh1234", version: "1", chainId: 1, address: signer.address };
  const text = createSiweMessage({ ...issued, domain: "bank.test", uri: "https://bank.test/" });
  await assert.rejects(request("personal_sign", stringToHex(text), signer.address), failed(4100, "domain"));
  assert.equal(node.calls.length, 0);
});

test("what the node filled in is told and has bounds; what the dapp gave is its person's to judge", async (t) => {
  const node = await fakeNode(t, { ...ANSWERS });
  const { asked, request } = registered(t, { chains: [{ chainId: 1, endpoint: node.endpoint }] });
  await request("eth_requestAccounts");
  const own = { from: signer.address, to: TO, value: "0x5" };
  const sign = (more) => request("eth_signTransaction", { ...own, ...more });
  await sign({});
  assert.deepEqual(asked.at(-1).filledByNode, ["nonce", "gas", "maxFeePerGas", "maxPriorityFeePerGas"]);
  await sign({ nonce: "0x1", maxFeePerGas: "0x3b9aca00" });
  assert.deepEqual(asked.at(-1).filledByNode, ["gas", "maxPriorityFeePerGas"]);
  const before = asked.length;
  const gwei = (count) => `0x${(count * 10n ** 9n).toString(16)}`;
  node.table.eth_maxPriorityFeePerGas = gwei(99n);
  await assert.rejects(sign({}), failed(4901, "node"), "above 100 times the base fee");
  node.table.eth_maxPriorityFeePerGas = gwei(98n);
  await sign({});
  node.table.eth_getBlockByNumber = { baseFeePerGas: gwei(5_001n) };
  await assert.rejects(sign({}), failed(4901, "node"), "a base fee beyond all reason");
  node.table.eth_getBlockByNumber = {};
  node.table.eth_gasPrice = gwei(10_001n);
  await assert.rejects(sign({}), failed(4901, "node"), "a price beyond all reason");
  await sign({ gasPrice: gwei(10_001n) });
  node.table.eth_estimateGas = "0x1c9c381";
  await assert.rejects(sign({ gasPrice: "0x1" }), failed(4901, "node"), "more gas than a block has");
  assert.equal(asked.length, before + 2);
});

test("no error tells a dapp what caused it", async (t) => {
  const { request } = registered(t, {
    chains: [{ chainId: 1, endpoint: "http://127.0.0.1:1/secret" }],
    confirm: () => Promise.reject(new Error("the page's own")),
  });
  await request("eth_requestAccounts");
  const bare = (number, own) => (error) => failed(number, own)(error) && !("cause" in error);
  await assert.rejects(request("personal_sign", "hello", signer.address), bare(4001, "rejected"));
  await assert.rejects(request("eth_blockNumber"), bare(4901, "node"));
  await assert.rejects(request("personal_sign", `0x${"5a".repeat(31)}ff`, signer.address), bare(4001, "refused"));
});
