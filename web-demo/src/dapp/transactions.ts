/** Transactions that the sample dapp asks for, built with `@solana/kit`. None of them is ever sent. */
import {
  AccountRole,
  address,
  appendTransactionMessageInstructions,
  blockhash,
  compileTransaction,
  createTransactionMessage,
  getBase58Decoder,
  getTransactionEncoder,
  pipe,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
  type Instruction,
} from "@solana/kit";

export const TRANSACTIONS = [
  ["transfer", "Send 0.05 SOL"],
  ["memo", "Send 0.05 SOL with a memo"],
  ["assign", "Hand the account over (dangerous)"],
  ["unknown", "Call a program that nobody can read"],
  ["twice", "Set the compute budget twice (refused)"],
] as const;

export type TransactionKind = (typeof TRANSACTIONS)[number][0];

const SYSTEM = address("11111111111111111111111111111111");
const MEMO = address("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");
const COMPUTE_BUDGET = address("ComputeBudget111111111111111111111111111111");
/** Belong to nobody: 32 times the same byte. */
const FRIEND = address(getBase58Decoder().decode(new Uint8Array(32).fill(7)));
const STRANGER = address(getBase58Decoder().decode(new Uint8Array(32).fill(9)));
const LAMPORTS = 50_000_000n;

/** A transaction in wire bytes, unsigned, for `from` to sign and pay. */
export function build(kind: TransactionKind, from: string): Uint8Array {
  const lifetime = {
    blockhash: blockhash(getBase58Decoder().decode(crypto.getRandomValues(new Uint8Array(32)))),
    lastValidBlockHeight: 0n,
  };
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (empty) => setTransactionMessageFeePayer(address(from), empty),
    (paid) => setTransactionMessageLifetimeUsingBlockhash(lifetime, paid),
    (living) => appendTransactionMessageInstructions(instructions(kind, from), living),
  );
  return new Uint8Array(getTransactionEncoder().encode(compileTransaction(message)));
}

function instructions(kind: TransactionKind, from: string): readonly Instruction[] {
  switch (kind) {
    case "transfer":
      return [transfer(from)];
    case "memo":
      return [
        transfer(from),
        { programAddress: MEMO, accounts: [], data: new TextEncoder().encode("For the boat, with thanks") },
      ];
    case "assign":
      return [
        { programAddress: SYSTEM, accounts: [{ address: address(from), role: AccountRole.WRITABLE_SIGNER }], data: assignData() },
      ];
    case "unknown":
      return [
        {
          programAddress: STRANGER,
          accounts: [{ address: address(from), role: AccountRole.WRITABLE_SIGNER }],
          data: new Uint8Array([222, 173, 190, 239]),
        },
      ];
    case "twice":
      return [computeLimit(200_000), computeLimit(1_400_000), transfer(from)];
  }
}

/** `SystemInstruction::Transfer`: u32 2, u64 lamports, both little-endian. */
function transfer(from: string): Instruction {
  const data = new DataView(new ArrayBuffer(12));
  data.setUint32(0, 2, true);
  data.setBigUint64(4, LAMPORTS, true);
  const accounts = [
    { address: address(from), role: AccountRole.WRITABLE_SIGNER },
    { address: FRIEND, role: AccountRole.WRITABLE },
  ];
  return { programAddress: SYSTEM, accounts, data: new Uint8Array(data.buffer) };
}

/** `SystemInstruction::Assign`: u32 1, then the new owner's 32 bytes. */
function assignData(): Uint8Array {
  const data = new Uint8Array(36).fill(9);
  data.set([1, 0, 0, 0]);
  return data;
}

/** `SetComputeUnitLimit`: u8 2, u32 units, little-endian. */
function computeLimit(units: number): Instruction {
  const data = new DataView(new ArrayBuffer(5));
  data.setUint8(0, 2);
  data.setUint32(1, units, true);
  return { programAddress: COMPUTE_BUDGET, data: new Uint8Array(data.buffer) };
}
