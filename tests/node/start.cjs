// Starts the embedded Solana engine offline on loopback and says where it listens.
//
//   node start.cjs --ready-file FILE [--slot-ms N] [--mode clock|transaction|manual]
//
// The ready file is written whole (renamed into place) as {"rpcUrl","wsUrl","pid"}; accounts are funded through the
// faucet (requestAirdrop). The node ends when standard input closes, so it cannot outlive the test that started it, or
// on SIGTERM or SIGINT.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

function options(args) {
  const found = { readyFile: undefined, slotMs: 400, mode: 'clock' };
  for (let i = 0; i < args.length; i += 2) {
    const value = args[i + 1];
    if (value === undefined) throw new Error(`${args[i]} wants a value`);
    if (args[i] === '--ready-file') found.readyFile = path.resolve(value);
    else if (args[i] === '--slot-ms') found.slotMs = Number.parseInt(value, 10);
    else if (args[i] === '--mode') found.mode = value;
    else throw new Error(`unknown option ${args[i]}`);
  }
  if (!found.readyFile) throw new Error('--ready-file is missing');
  if (!Number.isInteger(found.slotMs) || found.slotMs < 1) throw new Error('--slot-ms wants a number of milliseconds');
  if (!['clock', 'transaction', 'manual'].includes(found.mode)) throw new Error('--mode wants clock, transaction or manual');
  return found;
}

function main() {
  const { readyFile, slotMs, mode } = options(process.argv.slice(2));
  const { Surfnet } = require('@solana/surfpool-linux-x64-gnu');
  const net = Surfnet.startWithConfig({
    offline: true,
    blockProductionMode: mode,
    slotTimeMs: slotMs,
    airdropSol: 1_000_000_000_000,
  });
  // Undrained, the engine's queue of events fills up after minutes and everything hangs.
  setInterval(() => net.drainEvents(), 50);
  const stop = () => {
    try {
      net.stop();
    } finally {
      process.exit(0);
    }
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.stdin.on('end', stop);
  process.stdin.on('error', stop);
  process.stdin.resume();
  const ready = JSON.stringify({ rpcUrl: net.rpcUrl, wsUrl: net.wsUrl, pid: process.pid });
  fs.writeFileSync(`${readyFile}.part`, ready);
  fs.renameSync(`${readyFile}.part`, readyFile);
}

main();
