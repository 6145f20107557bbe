import type { MessageReview, TransactionReview } from "../review.js";
import type { SolanaWallet } from "../wallets.js";

/** A chain of Solana as Wallet Standard names it. */
export type SolanaChain = "solana:mainnet" | "solana:devnet" | "solana:testnet" | "solana:localnet";

/** How sure the cluster is of a transaction. */
export type SolanaCommitment = "processed" | "confirmed" | "finalized";

/** What the page asks its person about. Everything in it was read from the bytes that would be signed. */
export type Confirmation =
  | {
      readonly kind: "transaction";
      readonly address: string;
      readonly chain: string | undefined;
      /** Whether it is sent to the network at once. */
      readonly send: boolean;
      readonly review: TransactionReview;
    }
  | { readonly kind: "message" | "sign-in"; readonly address: string; readonly review: MessageReview };

export interface WalletOptions {
  /** The wallet's name in a dapp's list. */
  readonly name: string;
  /** A picture as a `data:` address: SVG, WebP, PNG or GIF. */
  readonly icon: `data:image/${"svg+xml" | "webp" | "png" | "gif"};base64,${string}`;
  readonly chains?: readonly SolanaChain[];
  /**
   * Opens the vault if need be, and gives the wallets that the dapp may see; none, or an error, means no. Never called
   * for a silent connect, and once for any number of connects at the same time.
   */
  readonly connect: () => Promise<readonly SolanaWallet[]>;
  /** Shows what would be signed; only `true` signs it, and an error means no. */
  readonly confirm: (request: Confirmation) => Promise<boolean>;
  /** An RPC endpoint for each chain on which transactions may be sent as well; without any, nothing is sent. */
  readonly endpoints?: Readonly<Partial<Record<SolanaChain, string>>>;
  /** What a sign-in must name as its domain; the page's own host unless given. */
  readonly host?: string;
}

/** An account as Wallet Standard has it. The same address gives the same object for as long as the wallet lives. */
export interface WalletAccount {
  readonly address: string;
  readonly publicKey: Uint8Array;
  readonly chains: readonly SolanaChain[];
  readonly features: readonly `${string}:${string}`[];
}

/** What a dapp asks for when it wants somebody to sign in. */
export interface SignInInput {
  readonly domain?: string;
  readonly address?: string;
  readonly statement?: string;
  readonly uri?: string;
  readonly version?: string;
  readonly chainId?: string;
  readonly nonce?: string;
  readonly issuedAt?: string;
  readonly expirationTime?: string;
  readonly notBefore?: string;
  readonly requestId?: string;
  readonly resources?: readonly string[];
}

/** A registered wallet. */
export interface RegisteredWallet {
  /** Says that the vault was locked: the dapp sees no account until it connects again. */
  disconnect(): void;
  /** Ends it for dapps that look from now on. */
  unregister(): void;
}

export type ChangeListener = (properties: { readonly accounts: readonly WalletAccount[] }) => void;

export const SIGNING = ["solana:signTransaction", "solana:signMessage", "solana:signIn"] as const;
export const SENDING = "solana:signAndSendTransaction";
/** What the features' types can name; Keyward's core reads version 1 as well, and no dapp can ask for it yet. */
export const VERSIONS = ["legacy", 0] as const;
