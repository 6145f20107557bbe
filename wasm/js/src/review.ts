import type { RefusalReason } from "./errors.js";

/** What the vault file's policy, or without one the page's, says about a request. */
export interface Verdict {
  /** Who decides: the vault file's policy, the page, or nobody because the file's policy cannot be read. */
  readonly authority: "vault" | "page" | "unsound";
  readonly allowed: boolean;
  /** Every reason against it; empty if allowed. */
  readonly refusals: readonly RefusalReason[];
}

/** A named part of a decoded instruction; amounts and numbers are decimal digits. */
export interface ReviewField {
  readonly label: string;
  readonly kind: "account" | "accounts" | "address" | "addresses" | "lamports" | "number" | "word" | "text" | "bytes" | "nothing";
  readonly value: string | readonly string[] | null;
}

/** What one instruction does. */
export type ReviewAction =
  | { readonly type: "sol-transfer"; readonly from: string; readonly to: string; readonly lamports: string }
  | {
      readonly type: "token-transfer";
      readonly program: string;
      readonly source: string;
      readonly destination: string;
      readonly authority: string;
      readonly mint: string | null;
      readonly amount: string;
      readonly decimals: number | null;
    }
  | { readonly type: "memo"; readonly text: string | null; readonly length: number }
  | { readonly type: "compute-budget"; readonly setting: string }
  | {
      readonly type: "decoded";
      readonly program: string;
      readonly programName: string;
      readonly instruction: string;
      readonly fields: readonly ReviewField[];
      readonly dangers: readonly string[];
    }
  | {
      readonly type: "unknown";
      readonly program: string;
      readonly programName: string | null;
      readonly accounts: readonly string[];
      readonly dataLength: number;
      readonly dataStart: string;
      readonly reason: string;
    };

/** A Solana transaction as the core read it from the very bytes to be signed. */
export interface TransactionReview {
  readonly kind: "transaction";
  readonly messageSha256: string;
  readonly feePayer: string;
  readonly signers: readonly string[];
  /** Of wire bytes: what stands in each signer's place. */
  readonly signatures: readonly { readonly address: string; readonly state: "valid" | "invalid" | "missing" }[];
  /** One sentence for each action and for whatever else a person must know; text from the transaction is escaped. */
  readonly sentences: readonly string[];
  readonly actions: readonly ReviewAction[];
  readonly maxPriorityFeeLamports: string;
  readonly unresolvedLookupTables: number;
  readonly durableNonce: { readonly account: string | null; readonly authority: string | null } | null;
  readonly verdict: Verdict;
}

/** A Solana message as the core read it. */
export type MessageReview = { readonly verdict: Verdict } & (
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "sign-in"; readonly text: string; readonly domain: string; readonly sentences: readonly string[] }
  | { readonly kind: "off-chain-message"; readonly text: string; readonly signers: readonly string[] }
  | { readonly kind: "binary"; readonly hex: string }
  | { readonly kind: "refused" }
);

/** A personal message (EIP-191) as the core read it. */
export type EvmMessageReview = { readonly verdict: Verdict } & (
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "refused" }
);

/** An EVM transaction as the core read it. */
export interface EvmTransactionReview {
  readonly kind: "evm-transaction";
  readonly chainId: string;
  readonly nonce: string;
  readonly to: string | null;
  readonly valueWei: string;
  readonly maxFeeWei: string;
  readonly sentences: readonly string[];
  readonly verdict: Verdict;
}

/** Typed data (EIP-712) as the core read it. */
export interface TypedDataReview {
  readonly kind: "typed-data";
  readonly chainId: string;
  readonly primaryType: string;
  readonly sentences: readonly string[];
  readonly risks: readonly string[];
  readonly verdict: Verdict;
}
