/** Who is connected: the wallets that the dapp may see, and the one prompt that any number of requests share. */
import type { Hex } from "../bytes.js";
import { KeywardError } from "../errors.js";
import type { EvmWallet } from "../wallets.js";
import { failure, type ProviderRpcError } from "./errors.js";
import { addressOf } from "./transaction.js";

export class Accounts {
  readonly #ask: () => Promise<readonly EvmWallet[]>;
  readonly #changed: (addresses: readonly Hex[]) => void;
  #wallets: ReadonlyMap<string, EvmWallet> = new Map();
  #connecting: Promise<void> | undefined;
  #ended = 0;

  constructor(ask: () => Promise<readonly EvmWallet[]>, changed: (addresses: readonly Hex[]) => void) {
    this.#ask = ask;
    this.#changed = changed;
  }

  /** How often it was disconnected: what began before does not count any more. */
  get ended(): number {
    return this.#ended;
  }

  get addresses(): readonly Hex[] {
    return [...this.#wallets.values()].map((wallet) => wallet.address);
  }

  async connect(): Promise<readonly Hex[]> {
    if (this.#wallets.size === 0) {
      if (this.#connecting === undefined) {
        const prompt: Promise<void> = this.#prompt().finally(() => {
          // After a disconnect it may be another's.
          if (this.#connecting === prompt) {
            this.#connecting = undefined;
          }
        });
        this.#connecting = prompt;
      }
      await this.#connecting;
    }
    return this.addresses;
  }

  disconnect(): void {
    this.#ended += 1;
    this.#connecting = undefined;
    if (this.#wallets.size > 0) {
      this.#wallets = new Map();
      this.#changed([]);
    }
  }

  /** Ends what began when {@link Accounts.ended} was `begun`, if there was a disconnect since. */
  checkSince(begun: number): void {
    if (begun !== this.#ended) {
      throw notConnected();
    }
  }

  /** The connected wallet of an address; 4100 if there is none, -32602 if it is no address. */
  wallet(address: unknown, name: string): EvmWallet {
    const known = addressOf(address);
    if (known === undefined) {
      throw failure("params", "argument", `${name}: it must be an address: 0x and 40 hexadecimal digits`);
    }
    const wallet = this.#wallets.get(known.toLowerCase());
    if (wallet === undefined) {
      throw notConnected();
    }
    return wallet;
  }

  async #prompt(): Promise<void> {
    const before = this.#ended;
    let wallets: readonly EvmWallet[];
    try {
      wallets = await this.#ask();
    } catch (cause) {
      throw cause instanceof KeywardError && cause.code !== "rejected" ? cause : rejection();
    }
    if (before !== this.#ended) {
      throw notConnected();
    }
    if (!Array.isArray(wallets) || wallets.length === 0) {
      throw rejection();
    }
    this.#wallets = new Map(wallets.map((wallet) => [wallet.address.toLowerCase(), wallet]));
    this.#changed(this.addresses);
  }
}

export function rejection(): ProviderRpcError {
  return failure("rejected", "rejected", "User rejected the request.");
}

export function notConnected(): ProviderRpcError {
  return failure("unauthorized", "not-connected", "this account is not connected; call eth_requestAccounts first");
}
