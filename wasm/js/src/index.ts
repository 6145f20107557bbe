/**
 * The Keyward signer for pages: an encrypted vault, HD accounts and signing on Solana and EVM chains.
 *
 * Importing has no side effect; call `init()` once before anything else. Secrets are `Uint8Array`s.
 */
export type { Hex } from "./bytes.js";
export { init, initSync, type ModuleSource, type SyncModuleSource } from "./engine.js";
export { KeywardError, type RefusalReason } from "./errors.js";
export { EvmSigner } from "./evm.js";
export type { EvmMessage, TypedDataDocument } from "./evm-input.js";
export type {
  EvmMessageReview,
  EvmTransactionReview,
  MessageReview,
  ReviewAction,
  ReviewField,
  TransactionReview,
  TypedDataReview,
  Verdict,
} from "./review.js";
export {
  SolanaSigner,
  type LookupTableSource,
  type LookupTables,
  type SignatureDictionary,
  type SigningConfig,
  type SolanaAddress,
  type SolanaSignature,
  type TransactionConfig,
} from "./solana.js";
export {
  Vault,
  createVault,
  describeVault,
  exportVault,
  generateMnemonic,
  importKey,
  openVault,
  openVaultWithRecovery,
  validateMnemonic,
  version,
  type Account,
  type AccountsOptions,
  type Chain,
  type CreateVaultOptions,
  type ImportKeyOptions,
  type KeyFormat,
  type MnemonicCheck,
  type OpenVaultOptions,
  type PathFamily,
  type SignerOptions,
  type SolanaSignerOptions,
  type VaultDescription,
} from "./vault.js";
export type { EvmWallet, SolanaWallet } from "./wallets.js";
