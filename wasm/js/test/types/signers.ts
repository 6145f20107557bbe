// Compiles only while the signers are what their users' types say. Nothing runs it.
import type { MessagePartialSigner, TransactionPartialSigner } from "@solana/kit";
import { KeywardError, type EvmSigner, type SolanaSigner, type TransactionReview } from "keyward";
import type { LocalAccount } from "viem";

export function kit(signer: SolanaSigner): MessagePartialSigner & TransactionPartialSigner {
  return signer;
}

export function viem(signer: EvmSigner): Pick<LocalAccount, "address" | "signMessage"> {
  return {
    address: signer.address,
    signMessage: ({ message }) => signer.signMessage(message),
  };
}

export function told(review: TransactionReview): string {
  const [action] = review.actions;
  return action?.type === "sol-transfer" ? action.lamports : (review.sentences[0] ?? "");
}

export function coded(error: unknown): string | undefined {
  return error instanceof KeywardError ? error.code : undefined;
}
