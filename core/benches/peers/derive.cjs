// How long a wallet takes that is derived as JavaScript wallets do it: ed25519-hd-key walks the path from the seed and
// tweetnacl makes the key pair. Nothing is kept between wallets, as in the code of that kind.
//
//   node derive.cjs [WALLETS]
//
// Prints `peer; what; nanoseconds per wallet` for `cargo xtask bench`, after checking one address.
'use strict';

const { derivePath } = require('ed25519-hd-key');
const nacl = require('tweetnacl');

// BIP-39's "abandon ... about" without a passphrase.
const SEED =
  '5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1' +
  '9a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4';
// HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk, the address of its first wallet.
const FIRST = 'f036276246a75b9de3349ed42b15e232f6518fc20f5fcd4f1d64e81f9bd258f7';

const wallet = (index) => nacl.sign.keyPair.fromSeed(derivePath(`m/44'/501'/${index}'/0'`, SEED).key);

const first = Buffer.from(wallet(0).publicKey).toString('hex');
if (first !== FIRST) throw new Error(`the first wallet is ${first}`);

const wallets = Number.parseInt(process.argv[2] ?? '300', 10);
if (!Number.isInteger(wallets) || wallets < 1) throw new Error('the number of wallets is no number');
for (let index = 0; index < 30; index += 1) wallet(index);
const rounds = [];
for (let round = 0; round < 5; round += 1) {
  const start = process.hrtime.bigint();
  for (let index = 0; index < wallets / 5; index += 1) wallet(index);
  rounds.push(Number(process.hrtime.bigint() - start) / Math.ceil(wallets / 5));
}
rounds.sort((a, b) => a - b);
console.log(`peer; ed25519-hd-key and tweetnacl in Node; ${Math.round(rounds[2])}`);
