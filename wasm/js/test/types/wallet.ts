// Compiles only while the registered wallet's parts are what Wallet Standard's types say. Nothing runs it.
import type { SolanaSignInInput } from "@solana/wallet-standard-features";
import type { WalletAccount as StandardAccount, WalletIcon } from "@wallet-standard/base";
import type { SignInInput, WalletAccount, WalletOptions } from "keyward/wallet-standard";

export function account(own: WalletAccount): StandardAccount {
  return own;
}

export function icon(options: WalletOptions): WalletIcon {
  return options.icon;
}

export function signIn(input: SolanaSignInInput): SignInInput {
  return input;
}
