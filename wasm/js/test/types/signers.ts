// Compiles only while the signers are what their users' types say. Nothing runs it.
import type { MessagePartialSigner, TransactionPartialSigner } from "@solana/kit";
import { KeywardError, type EvmSigner, type EvmWallet, type SolanaSigner, type SolanaWallet, type TransactionReview } from "keyward";
import { serializeTransaction, type LocalAccount } from "viem";
import { toAccount } from "viem/accounts";

export function kit(signer: SolanaSigner): MessagePartialSigner & TransactionPartialSigner {
  return signer;
}

/** An account as viem's wallet clients take it. */
export function viem(signer: EvmWallet): LocalAccount {
  return toAccount({
    address: signer.address,
    signMessage: ({ message }) => signer.signMessage(message),
    signTransaction: (transaction) => signer.signTransaction(serializeTransaction(transaction)),
    signTypedData: (document) =>
      signer.signTypedData(JSON.stringify(document, (_name, value: unknown) => (typeof value === "bigint" ? value.toString() : value))),
  });
}

export function wallets(solana: SolanaSigner, evm: EvmSigner): readonly [SolanaWallet, EvmWallet] {
  return [solana, evm];
}

export function told(review: TransactionReview): string {
  const [action] = review.actions;
  return action?.type === "sol-transfer" ? action.lamports : (review.sentences[0] ?? "");
}

export function coded(error: unknown): string | undefined {
  return error instanceof KeywardError ? error.code : undefined;
}
