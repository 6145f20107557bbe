// Compiles only while the handles of `keyward/client` are what local signers are to their users. Nothing runs it.
import type { MessagePartialSigner, TransactionPartialSigner } from "@solana/kit";
import type { EvmWallet, SolanaWallet } from "keyward";
import { connect, type Client, type RemoteEvmSigner, type RemoteSolanaSigner, type RemoteVault } from "keyward/client";
import { registerProvider } from "keyward/eip6963";
import { installWallet, type TestWallet } from "keyward/testing";
import { registerWallet } from "keyward/wallet-standard";
import { serve } from "keyward/worker";
import type { Page } from "playwright-core";
import { custom, type CustomTransport, type LocalAccount } from "viem";

import { viem } from "./signers.js";

export function kit(signer: RemoteSolanaSigner): MessagePartialSigner & TransactionPartialSigner {
  return signer;
}

export function account(signer: RemoteEvmSigner): LocalAccount {
  return viem(signer);
}

export function wallets(solana: RemoteSolanaSigner, evm: RemoteEvmSigner): readonly [SolanaWallet, EvmWallet] {
  return [solana, evm];
}

export function opened(worker: Worker, file: Uint8Array, password: Uint8Array): Promise<RemoteVault> {
  return connect(worker, { autoLockMs: 60_000 }).then((client: Client) => client.openVault(file, password));
}

export function answered(): void {
  serve();
}

export function registered(vault: RemoteVault): CustomTransport {
  const shown = { name: "Wallet", icon: "data:image/svg+xml;base64,PHN2Zy8+" } as const;
  registerWallet({ ...shown, connect: async () => [await vault.solana()], confirm: async () => false });
  const connect = async (): Promise<readonly EvmWallet[]> => [await vault.evm()];
  const { provider } = registerProvider({ ...shown, rdns: "example.wallet", chains: [{ chainId: 1 }], connect, confirm: async () => false });
  return custom(provider);
}

export function injected(page: Page): Promise<TestWallet> {
  return installWallet(page, { answer: "deny" });
}
