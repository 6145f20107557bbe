// Runs in the page: ours and others in turns, so that what disturbs the machine disturbs all of them alike.
import { ed25519 } from "@noble/curves/ed25519.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { scrypt as nobleScrypt } from "@noble/hashes/scrypt.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { HDKey as ScureKey } from "@scure/bip32";
import { mnemonicToSeedSync } from "@scure/bip39";
import sodium from "libsodium-wrappers";
import { HDKey as ProducerKey } from "micro-key-producer/slip10.js";
import { syncScrypt } from "scrypt-js";
import nacl from "tweetnacl";

import { createVault, init, openVault } from "../dist/index.js";

const PHRASE = "test test test test test test test test test test test junk";
const PASSWORD = "correct horse battery staple";
const N = 131_072;
const ACCOUNTS = 100;

const utf8 = (text) => new TextEncoder().encode(text);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

function same(what, found, expected) {
  if (found !== expected) {
    throw new Error(`${what}: ${found} is not ${expected}`);
  }
}

/** Milliseconds that one call takes, by name: the median over `rounds` of batches of `calls`, in turns. */
async function inTurns(contestants, { rounds, calls, warm }) {
  const taken = new Map(contestants.map(({ name }) => [name, []]));
  for (let round = -warm; round < rounds; round += 1) {
    for (const { name, run } of contestants) {
      const start = performance.now();
      for (let call = 0; call < calls; call += 1) {
        const result = run();
        if (result instanceof Promise) {
          await result;
        }
      }
      const each = (performance.now() - start) / calls;
      if (round >= 0) {
        taken.get(name).push(each);
      }
    }
  }
  return Object.fromEntries([...taken].map(([name, values]) => [name, median(values)]));
}

async function signing(vault, seed) {
  const signer = vault.solana();
  // 250 bytes that a person can read, since ours signs nothing else.
  const message = utf8("Keyward signs this for a benchmark. ".repeat(7).slice(0, 250));
  const secret = ProducerKey.fromMasterSeed(seed).derive("m/44'/501'/0'/0'").privateKey;
  const pair = nacl.sign.keyPair.fromSeed(secret);
  const pkcs8 = new Uint8Array([...[48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32], ...secret]);
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
  const contestants = [
    { name: "keyward", run: () => signer.signMessage(message) },
    { name: "WebCrypto", run: () => crypto.subtle.sign("Ed25519", key, message) },
    { name: "@noble/curves", run: () => ed25519.sign(message, secret) },
    { name: "tweetnacl", run: () => nacl.sign.detached(message, pair.secretKey) },
    { name: "libsodium-wrappers", run: () => sodium.crypto_sign_detached(message, pair.secretKey) },
  ];
  const expected = hex(signer.signMessage(message));
  for (const { name, run } of contestants) {
    same(`signature of ${name}`, hex(new Uint8Array(await run())), expected);
  }
  const taken = await inTurns(contestants, { rounds: 60, calls: 20, warm: 10 });
  signer.free();
  return taken;
}

async function opening(file) {
  const password = utf8(PASSWORD);
  const salt = crypto.getRandomValues(new Uint8Array(32));
  const contestants = [
    { name: "keyward", run: async () => (await openVault(file, password)).free() },
    { name: "scrypt-js", run: () => syncScrypt(password, salt, N, 8, 1, 32) },
    { name: "@noble/hashes", run: () => nobleScrypt(password, salt, { N, r: 8, p: 1, dkLen: 32 }) },
  ];
  return inTurns(contestants, { rounds: 7, calls: 1, warm: 2 });
}

async function deriving(vault, seed) {
  const producer = () => {
    const root = ProducerKey.fromMasterSeed(seed);
    return Array.from({ length: ACCOUNTS }, (_, at) => root.derive(`m/44'/501'/${at}'/0'`).publicKeyRaw);
  };
  const solana = [
    { name: "keyward", run: () => vault.accounts({ count: ACCOUNTS }) },
    { name: "micro-key-producer", run: producer },
  ];
  const signer = vault.solana("m/44'/501'/99'/0'");
  same("the last account", hex(producer().at(-1)), hex(signer.publicKey));
  signer.free();
  const scure = () => {
    const root = ScureKey.fromMasterSeed(seed);
    return Array.from({ length: ACCOUNTS }, (_, at) => {
      const point = secp256k1.Point.fromBytes(root.derive(`m/44'/60'/0'/0/${at}`).publicKey).toBytes(false);
      return hex(keccak_256(point.subarray(1)).subarray(12));
    });
  };
  const evm = [
    { name: "keyward", run: () => vault.accounts({ family: "evm-bip44", count: ACCOUNTS }) },
    { name: "@scure/bip32", run: scure },
  ];
  same("the last EVM account", scure().at(-1), evm[0].run().at(-1).address.slice(2).toLowerCase());
  return {
    solana: await inTurns(solana, { rounds: 15, calls: 1, warm: 3 }),
    evm: await inTurns(evm, { rounds: 9, calls: 1, warm: 2 }),
  };
}

/** Everything, in milliseconds a call (of deriving: for all accounts). */
globalThis.benchmark = async () => {
  await sodium.ready;
  await init("/keyward.wasm");
  const seed = mnemonicToSeedSync(PHRASE);
  const vault = await createVault(utf8(PASSWORD), { phrase: utf8(PHRASE) });
  const file = vault.export();
  return { sign: await signing(vault, seed), open: await opening(file), derive: await deriving(vault, seed) };
};
