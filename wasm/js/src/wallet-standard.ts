/**
 * Registers an open vault's Solana wallets with Wallet Standard, so that dapps in the same page find them.
 *
 * The keys stay with whoever made the signers; this holds none and asks before every signature. It draws nothing: the
 * page's `confirm` does.
 */
import type { RegisteredWallet, WalletOptions } from "./wallet-standard/options.js";
import { register } from "./wallet-standard/register.js";
import { StandardWallet } from "./wallet-standard/wallet.js";

export type {
  Confirmation,
  RegisteredWallet,
  SignInInput,
  SolanaChain,
  SolanaCommitment,
  WalletAccount,
  WalletOptions,
} from "./wallet-standard/options.js";

/** Registers a wallet with every dapp of the page, those that come later included. */
export function registerWallet(options: WalletOptions): RegisteredWallet {
  const wallet = new StandardWallet(options);
  const unregister = register(wallet.standard);
  return {
    disconnect: () => wallet.disconnect(),
    unregister: () => {
      unregister();
      wallet.close();
    },
  };
}
