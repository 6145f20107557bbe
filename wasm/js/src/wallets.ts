import type { Hex } from "./bytes.js";
import type { EvmMessage, TypedDataDocument } from "./evm-input.js";
import type { EvmMessageReview, EvmTransactionReview, MessageReview, TransactionReview, TypedDataReview } from "./review.js";
import type { LookupTables } from "./solana.js";

/** What a Solana wallet must do to be shown to dapps: `SolanaSigner` does, and so do the handles of `keyward/client`. */
export interface SolanaWallet {
  readonly address: string;
  readonly publicKey: Uint8Array;
  /** The lookup tables that a transaction refers to, by address. */
  lookupTables?(transaction: Uint8Array): readonly string[] | Promise<readonly string[]>;
  inspect(transaction: Uint8Array, config?: { readonly lookupTables: LookupTables }): Promise<TransactionReview>;
  inspectMessage(message: Uint8Array): MessageReview | Promise<MessageReview>;
  signMessage(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
  signTransactionBytes(wire: Uint8Array, config?: { readonly lookupTables: LookupTables }): Promise<Uint8Array>;
}

/** What an EVM wallet must do to be shown to dapps: `EvmSigner` does, and so do the handles of `keyward/client`. */
export interface EvmWallet {
  readonly address: Hex;
  inspect(unsigned: Hex | Uint8Array): EvmTransactionReview | Promise<EvmTransactionReview>;
  inspectMessage(message: EvmMessage): EvmMessageReview | Promise<EvmMessageReview>;
  inspectTypedData(document: TypedDataDocument | string): TypedDataReview | Promise<TypedDataReview>;
  signMessage(message: EvmMessage): Promise<Hex>;
  signTypedData(document: TypedDataDocument | string): Promise<Hex>;
  signTransaction(unsigned: Hex | Uint8Array): Promise<Hex>;
}
