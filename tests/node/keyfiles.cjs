// Key files of other programs, for the tests of Keyward's import and export.
//
//   node keyfiles.cjs make DIRECTORY     writes the fixtures: always the same bytes
//   node keyfiles.cjs read PASSWORD      reads a keystore on standard input with ethers and writes its private key
//
// The two encrypted JSON formats are made with Node's own crypto (OpenSSL), the keystores with ethers. Every input is
// fixed, so that the committed files can be compared with what this program writes today.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const ethers = require('ethers');

const PASSWORD = 'correct horse battery staple';
// The private keys of RFC 8032's test 1 and of Hardhat's first account: known to everybody.
const SEED = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
const PUBLIC = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex');
const EVM_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
// In the English and in the French wordlist, and the checksum holds in both.
const TWO_LANGUAGES = 'volume innocent science phrase figure lecture intact concert guide fatigue sentence wagon';
const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

function fixedBytes(label, length) {
  return crypto.createHash('shake256', { outputLength: length }).update(label).digest();
}

function seal(iterations, ivLength, label, content) {
  const salt = fixedBytes(`${label} salt`, 32);
  const iv = fixedBytes(`${label} iv`, ivLength);
  const key = crypto.pbkdf2Sync(PASSWORD, salt, iterations, 32, 'sha256');
  const cipher = crypto.createCipheriv('aes-256-gcm', key, iv);
  const ciphertext = Buffer.concat([cipher.update(content), cipher.final()]);
  return { salt, iv, ciphertext, tag: cipher.getAuthTag() };
}

function wallet(label, content, encode, iterations = 100_000) {
  const { salt, iv, ciphertext, tag } = seal(iterations, 12, label, content);
  return JSON.stringify(
    {
      wallet_id: 'trading-1',
      salt: encode(salt),
      nonce: encode(iv),
      encrypted_keypair: encode(Buffer.concat([ciphertext, tag])),
      created_at: '2026-01-01T00:00:00Z',
      rotation_count: 0,
    },
    null,
    2,
  );
}

function encrypted(label, content, iterations, ivLength) {
  const { salt, iv, ciphertext, tag } = seal(iterations, ivLength, label, content);
  const text = (bytes) => bytes.toString('base64');
  return JSON.stringify({
    encryptedData: text(ciphertext),
    iv: text(iv),
    salt: text(salt),
    authTag: text(tag),
    iterations,
  });
}

function base58(bytes) {
  let number = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  for (; number > 0n; number /= 58n) text = BASE58[Number(number % 58n)] + text;
  return text;
}

function keystore(label, password, scrypt) {
  const account = { address: ethers.computeAddress(EVM_KEY), privateKey: EVM_KEY };
  const random = { salt: fixedBytes(`${label} salt`, 32), iv: fixedBytes(`${label} iv`, 16), uuid: fixedBytes(`${label} id`, 16) };
  return ethers.encryptKeystoreJsonSync(account, password, { ...random, scrypt });
}

function fixtures() {
  const pair = Buffer.concat([SEED, PUBLIC]);
  const text = (bytes) => bytes.toString('base64');
  return {
    'base64.wallet': wallet('a', pair, text),
    'hex.wallet': wallet('b', SEED, (bytes) => bytes.toString('hex')),
    'numbers.wallet': wallet('c', pair, (bytes) => [...bytes]),
    // No program writes so few iterations: for a test that opens it hundreds of times.
    'cheap.wallet': wallet('j', pair, text, 1),
    'bytes.encrypted.json': encrypted('d', pair, 100_000, 16),
    'base58.encrypted.json': encrypted('e', Buffer.from(base58(pair)), 5_000, 16),
    'numbers.encrypted.json': encrypted('f', Buffer.from(JSON.stringify([...pair])), 10, 12),
    'two_languages.encrypted.json': encrypted('k', Buffer.from(TWO_LANGUAGES), 1_000, 16),
    'ethers.keystore.json': keystore('g', PASSWORD, { N: 1 << 14, r: 8, p: 1 }),
    // So cheap that a test can open it hundreds of times.
    'ethers-cheap.keystore.json': keystore('i', PASSWORD, { N: 2, r: 1, p: 1 }),
    // NFKC makes "fi" of the ligature, and ethers does so before it stretches.
    'ethers-ligature.keystore.json': keystore('h', '\ufb01ve of them', { N: 1 << 10, r: 8, p: 1 }),
  };
}

function main() {
  const [command, argument] = process.argv.slice(2);
  if (command === 'make' && argument) {
    for (const [name, content] of Object.entries(fixtures())) fs.writeFileSync(path.join(argument, name), content);
  } else if (command === 'read' && argument !== undefined) {
    const account = ethers.decryptKeystoreJsonSync(fs.readFileSync(0, 'utf8'), argument);
    process.stdout.write(`${account.address} ${account.privateKey}\n`);
  } else {
    throw new Error('keyfiles.cjs make DIRECTORY | read PASSWORD');
  }
}

main();
