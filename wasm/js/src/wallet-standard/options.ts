import type { MessageReview, TransactionReview } from "../review.js";
import type { LookupTableSource } from "../solana.js";
import type { SolanaWallet } from "../wallets.js";

/** A chain of Solana as Wallet Standard names it. */
export type SolanaChain = "solana:mainnet" | "solana:devnet" | "solana:testnet" | "solana:localnet";

/** How sure the cluster is of a transaction. */
export type SolanaCommitment = "processed" | "confirmed" | "finalized";

/** What the page asks its person about. Everything in `review` was read from the bytes that would be signed. */
export type Confirmation =
  | ({ readonly kind: "transaction"; readonly address: string; readonly review: TransactionReview } & (
      | {
          /** It is sent to the network at once: to `chain`. */
          readonly send: true;
          readonly chain: string;
        }
      | {
          readonly send: false;
          /**
           * What the dapp says, if it says anything. No byte of a transaction names its cluster: the signature is good
           * on any cluster.
           */
          readonly claimedChain: string | undefined;
        }
    ))
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
  /**
   * Shows what would be signed; only `true` signs it, and an error means no. Never called before the one before was
   * answered, so a page that closes its dialog, as when the vault is locked, must answer it.
   */
  readonly confirm: (request: Confirmation) => Promise<boolean>;
  /** An RPC endpoint for each chain on which transactions may be sent as well; without any, nothing is sent. */
  readonly endpoints?: Readonly<Partial<Record<SolanaChain, string>>>;
  /**
   * What lookup tables hold. Asked once for a transaction, so that it is signed with the very tables that it was shown
   * with; a source of the signer's own is asked for each of the two.
   */
  readonly lookupTables?: LookupTableSource;
  /** What a sign-in must name as its domain; the page's own host unless given. */
  readonly host?: string;
}

/** An account as Wallet Standard has it. The same address gives the same object for as long as the wallet lives. */
export interface WalletAccount {
  readonly address: string;
  /** A copy at each reading. */
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
  /** Ends it, for dapps that hold it already as well: it connects nobody and signs nothing any more. */
  unregister(): void;
}

export type ChangeListener = (properties: { readonly accounts: readonly WalletAccount[] }) => void;

export const SIGNING = ["solana:signTransaction", "solana:signMessage", "solana:signIn"] as const;
export const SENDING = "solana:signAndSendTransaction";
/** What the features' types can name; Keyward's core reads version 1 as well, and no dapp can ask for it yet. */
export const VERSIONS = ["legacy", 0] as const;
