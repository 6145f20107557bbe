// What the secrets of a vault look like wherever bytes are kept: computed with Node's own cryptography, for searches.
import { createECDH, createHash, createHmac, pbkdf2Sync } from "node:crypto";

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const number = (bytes) => BigInt(`0x${bytes.toString("hex")}`);
const bytesOf = (value) => Buffer.from(value.toString(16).padStart(64, "0"), "hex");
const hmac512 = (key, ...parts) => createHmac("sha512", key).update(Buffer.concat(parts)).digest();
const hmac256 = (key, ...parts) => createHmac("sha256", key).update(Buffer.concat(parts)).digest();

/** The forms in which 32 or 64 secret bytes could lie about: as they are, halves of them, in texts, limbs reversed. */
export function formsOf(name, bytes) {
  const half = bytes.length / 2;
  return {
    [name]: bytes,
    [`first half of ${name}`]: bytes.subarray(0, half),
    [`second half of ${name}`]: bytes.subarray(half),
    [`middle of ${name}`]: bytes.subarray(half / 2, half + half / 2),
    [`${name} in hex`]: Buffer.from(bytes.toString("hex")),
    [`${name} in capital hex`]: Buffer.from(bytes.toString("hex").toUpperCase()),
    [`${name} in base64`]: Buffer.from(bytes.toString("base64").replace(/=+$/, "")),
    [`${name} reversed`]: Buffer.from(bytes).reverse(),
    [`${name} in words of 4`]: Buffer.from(bytes).swap32(),
    [`${name} in words of 8`]: Buffer.from(bytes).swap64(),
    [`${name} in reversed words of 8`]: Buffer.from(bytes).reverse().swap64(),
    [`${name} as numbers`]: Buffer.from([...bytes.subarray(0, half)].join(",")),
  };
}

/** The forms of a text, as a whole and in part. */
export function formsOfText(name, text) {
  const bytes = Buffer.from(text);
  return {
    [name]: bytes,
    [`start of ${name}`]: bytes.subarray(0, 16),
    [`part of ${name}`]: bytes.subarray(4, 20),
    [`end of ${name}`]: bytes.subarray(-16),
    [`${name} in UTF-16`]: Buffer.from(text, "utf16le"),
    [`${name} in hex`]: Buffer.from(bytes.toString("hex")),
    [`${name} in base64`]: Buffer.from(bytes.toString("base64").replace(/=+$/, "")),
  };
}

/** All that a Solana key is while it signs `message`: key, expanded key, the scalar's digits, the nonce. */
export function solanaForms(name, key, message) {
  const expanded = createHash("sha512").update(key).digest();
  const scalar = Buffer.from(expanded.subarray(0, 32));
  scalar[0] &= 248;
  scalar[31] = (scalar[31] & 127) | 64;
  const reducedScalar = bytesOf(number(Buffer.from(scalar).reverse()) % ED25519_ORDER).reverse();
  const nonce = createHash("sha512").update(expanded.subarray(32)).update(message).digest();
  const reduced = bytesOf(number(Buffer.from(nonce).reverse()) % ED25519_ORDER).reverse();
  return {
    ...formsOf(name, key),
    ...formsOf(`scalar of ${name}`, scalar),
    ...formsOf(`reduced scalar of ${name}`, reducedScalar),
    [`digits of the reduced scalar of ${name}`]: digits(reducedScalar).subarray(0, 40),
    ...formsOf(`prefix of ${name}`, expanded.subarray(32)),
    ...formsOf(`nonce of ${name}`, nonce),
    ...formsOf(`reduced nonce of ${name}`, reduced),
    [`digits of ${name}`]: digits(scalar).subarray(0, 40),
  };
}

/** A scalar's 64 signed digits to the base of 16, as multiplications take it apart. */
function digits(scalar) {
  const found = Buffer.alloc(64);
  scalar.forEach((byte, at) => {
    found[2 * at] = byte & 15;
    found[2 * at + 1] = byte >> 4;
  });
  let carry = 0;
  for (let at = 0; at < 63; at += 1) {
    const digit = found[at] + carry;
    carry = (digit + 8) >> 4;
    found.writeInt8(digit - (carry << 4), at);
  }
  found.writeInt8(found[63] + carry, 63);
  return found;
}

/** All that an EVM key is while it signs this digest: the scalar, and RFC 6979's nonce, which gives the key away. */
export function evmForms(name, key, digest) {
  let seed = Buffer.alloc(32, 1);
  let hmacKey = Buffer.alloc(32);
  const reduced = bytesOf(number(digest) % ORDER);
  for (const turn of [0, 1]) {
    hmacKey = hmac256(hmacKey, seed, Buffer.from([turn]), key, reduced);
    seed = hmac256(hmacKey, seed);
  }
  return { ...formsOf(name, key), ...formsOf(`nonce of ${name}`, hmac256(hmacKey, seed)), ...formsOf(`state of ${name}'s nonce`, hmacKey) };
}

/** SLIP-0010: a hardened child of an ed25519 node, which is a key and a chain code. */
function ed25519Child(node, index) {
  const data = Buffer.concat([Buffer.from([0]), node.subarray(0, 32), Buffer.alloc(4)]);
  data.writeUInt32BE(0x80000000 + index, 33);
  return hmac512(node.subarray(32), data);
}

/** BIP-32: a child of a secp256k1 node; hardened where `index` is at least 2^31. */
function secp256k1Child(node, index) {
  const [key, chainCode] = [node.subarray(0, 32), node.subarray(32)];
  let point = Buffer.concat([Buffer.from([0]), key]);
  if (index < 0x80000000) {
    const pair = createECDH("secp256k1");
    pair.setPrivateKey(key);
    point = pair.getPublicKey(null, "compressed");
  }
  const at = Buffer.alloc(4);
  at.writeUInt32BE(index);
  const derived = hmac512(chainCode, point, at);
  const child = bytesOf((number(derived.subarray(0, 32)) + number(key)) % ORDER);
  return Buffer.concat([child, derived.subarray(32)]);
}

/** The node at each step of a path. */
function nodes(seed, label, path, child) {
  const root = hmac512(Buffer.from(label), seed);
  return path.reduce((found, index) => [...found, child(found.at(-1), index)], [root]);
}

/**
 * Everything that a phrase is, down to its first account of each chain (m/44'/501'/0'/0', m/44'/60'/0'/0/0), which
 * sign `message` and, on EVM chains, a digest.
 */
export function secretsOfPhrase(phrase, { passphrase = "", message = Buffer.alloc(0), digest = Buffer.alloc(32) } = {}) {
  const seed = pbkdf2Sync(phrase, `mnemonic${passphrase}`, 2048, 64, "sha512");
  const solana = nodes(seed, "ed25519 seed", [44, 501, 0, 0], ed25519Child);
  const hard = 0x80000000;
  const evm = nodes(seed, "Bitcoin seed", [hard + 44, hard + 60, hard, 0, 0], secp256k1Child);
  const inner = (name, path) =>
    path.slice(0, -1).map((node, depth) => ({
      ...formsOf(`${name} node ${depth}`, node.subarray(0, 32)),
      ...formsOf(`${name} chain code ${depth}`, node.subarray(32)),
    }));
  return Object.assign(
    { ...formsOfText("phrase", phrase), ...formsOf("seed", seed) },
    ...inner("Solana", solana),
    ...inner("EVM", evm),
    solanaForms("Solana key", solana.at(-1).subarray(0, 32), message),
    formsOf("Solana chain code 4", solana.at(-1).subarray(32)),
    evmForms("EVM key", evm.at(-1).subarray(0, 32), digest),
    formsOf("EVM chain code 5", evm.at(-1).subarray(32)),
  );
}

/** The names of the secrets that stand in these bytes, a `Uint8Array` or an `ArrayBuffer`, in one pass over them. */
export function found(secrets, bytes) {
  const whole = bytes instanceof ArrayBuffer ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const names = Object.keys(secrets);
  const begins = new Uint8Array(1 << 16);
  const startingWith = new Map();
  for (const name of names) {
    const start = secrets[name].readUInt16LE(0);
    begins[start] = 1;
    startingWith.set(start, [...(startingWith.get(start) ?? []), name]);
  }
  const seen = new Set();
  for (let at = 0; at + 1 < whole.length; at += 1) {
    const start = whole[at] | (whole[at + 1] << 8);
    if (begins[start] === 1) {
      for (const name of startingWith.get(start)) {
        const secret = secrets[name];
        if (!seen.has(name) && whole.compare(secret, 0, secret.length, at, Math.min(at + secret.length, whole.length)) === 0) {
          seen.add(name);
        }
      }
    }
  }
  return names.filter((name) => seen.has(name));
}
