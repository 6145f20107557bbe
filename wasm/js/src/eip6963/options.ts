import type { EvmMessageReview, EvmTransactionReview, TypedDataReview } from "../review.js";
import type { EvmWallet } from "../wallets.js";

/** A chain that the provider is on. */
export interface EvmChain {
  /** From 1 to 2^53 − 1. */
  readonly chainId: number;
  /** Where its node answers JSON-RPC; without it nothing is read or sent there. */
  readonly endpoint?: string;
  /** For people. */
  readonly name?: string;
}

/** What the page asks its person about. Everything in `review` was read by the core from what would be signed. */
export type EvmConfirmation = {
  /** Who would sign, with the checksum of EIP-55. */
  readonly address: string;
  /** The chain that the provider is on. */
  readonly chainId: number;
} & (
  | {
      readonly kind: "transaction";
      /** Whether it is sent to the network at once. */
      readonly send: boolean;
      /** What the dapp left open and the chain's node filled in: nonce, gas, gasPrice, maxFeePerGas, maxPriorityFeePerGas. */
      readonly filledByNode: readonly string[];
      readonly review: EvmTransactionReview;
    }
  | { readonly kind: "message"; readonly review: EvmMessageReview }
  | { readonly kind: "sign-in"; readonly domain: string; readonly review: EvmMessageReview }
  | { readonly kind: "typed-data"; readonly review: TypedDataReview }
);

export interface ProviderOptions {
  /** The wallet's name in a dapp's list. */
  readonly name: string;
  /** A picture of at least 96 by 96 pixels as a `data:` address. */
  readonly icon: `data:image/${"svg+xml" | "webp" | "png" | "gif"};base64,${string}`;
  /** The wallet's domain name, backwards: `com.example.wallet`. */
  readonly rdns: string;
  /** Of version 4; a new one for each page unless given, as EIP-6963 wants it. */
  readonly uuid?: string;
  /** At least one; the first is the one that the provider starts on. */
  readonly chains: readonly EvmChain[];
  /** Opens the vault if need be, and gives the wallets that the dapp may see. Only `eth_requestAccounts` and its like call it. */
  readonly connect: () => Promise<readonly EvmWallet[]>;
  /**
   * Shows what would be signed; only `true` signs it, and an error means no. Never called before the one before was
   * answered, so a page that closes its dialog, as when the vault is locked, must answer it.
   */
  readonly confirm: (request: EvmConfirmation) => Promise<boolean>;
  /** What a sign-in must name as its domain; the page's own host unless given. */
  readonly host?: string;
}

/** A call as EIP-1193 has it. */
export interface RequestArguments {
  readonly method: string;
  readonly params?: readonly unknown[] | object;
}

/** What each event's listeners are called with. */
export interface ProviderEvents {
  readonly connect: { readonly chainId: string };
  readonly disconnect: Error;
  readonly chainChanged: string;
  readonly accountsChanged: readonly string[];
  readonly message: { readonly type: string; readonly data: unknown };
}

/** A provider of EIP-1193. */
export interface Eip1193Provider {
  request(call: RequestArguments): Promise<unknown>;
  on<Event extends keyof ProviderEvents>(event: Event, listener: (value: ProviderEvents[Event]) => void): this;
  removeListener<Event extends keyof ProviderEvents>(event: Event, listener: (value: ProviderEvents[Event]) => void): this;
}

/** A provider that dapps were told of. */
export interface RegisteredProvider {
  readonly provider: Eip1193Provider;
  /** Says that the vault was locked: the dapp sees no account until it connects again. */
  disconnect(): void;
  /** Ends it: nobody is told of it from now on, and it answers 4900. */
  unregister(): void;
}
