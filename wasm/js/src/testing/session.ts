/** One host's connection, in the test's process: the very wallet and provider that pages get in earnest. */
import { Provider } from "../eip6963/provider.js";
import type { EvmChain, ProviderOptions } from "../eip6963/options.js";
import { KeywardError } from "../errors.js";
import type { WalletOptions } from "../wallet-standard/options.js";
import { StandardWallet } from "../wallet-standard/wallet.js";
import { errorOnWire, type Call, type Outcome, type Question, type Reply, type TestEvent } from "./wire.js";

/** The most events that are kept for documents that have not seen them, and the most documents that wait. */
const MAX_EVENTS = 1000;
const MAX_WAITING = 1000;
const EVENTS = ["connect", "disconnect", "chainChanged", "accountsChanged", "message"] as const;

export interface SessionOptions {
  readonly wallet: WalletOptions;
  readonly provider: ProviderOptions & { readonly chains: readonly EvmChain[] };
}

export class Session {
  readonly #wallet: StandardWallet;
  readonly #provider: Provider;
  readonly #events: TestEvent[] = [];
  #dropped = 0;
  #waiting: (() => void)[] = [];
  #over = false;

  constructor({ wallet, provider }: SessionOptions) {
    this.#wallet = new StandardWallet(wallet);
    this.#provider = new Provider(provider);
    const events = this.#wallet.standard.features["standard:events"] as { on(event: string, listener: () => void): void };
    events.on("change", () => this.#tell(this.#accounts()));
    for (const event of EVENTS) {
      this.#provider.provider.on(event, (value) => {
        this.#tell({ target: "provider", event, value: value instanceof Error ? errorOnWire(value) : value });
      });
    }
  }

  async answer({ seen, call }: Question): Promise<Reply> {
    const isNew = seen < 0;
    const before = isNew ? this.#accounts() : null;
    const start = isNew ? this.#count : seen;
    if (call.kind === "events") {
      await this.#until(start);
    }
    const outcome = await this.#outcome(call);
    const first = Math.max(start, this.#dropped);
    return { before, events: this.#events.slice(first - this.#dropped), first, outcome, over: this.#over };
  }

  disconnect(): void {
    this.#wallet.disconnect();
    this.#provider.disconnect();
  }

  close(): void {
    this.#over = true;
    this.#wallet.close();
    this.#provider.close();
    this.#wake();
  }

  async #outcome(call: Call): Promise<Outcome> {
    try {
      if (call.kind === "events") {
        return { value: null };
      }
      if (this.#over) {
        throw new KeywardError("terminated", "the test wallet was freed");
      }
      if (call.kind === "provider") {
        return { value: (await this.#provider.provider.request(call.request as { method: string })) ?? null };
      }
      const feature = this.#wallet.standard.features[call.feature] as Readonly<Record<string, unknown>> | undefined;
      const method = feature?.[call.feature.slice(call.feature.indexOf(":") + 1)];
      if (typeof method !== "function") {
        throw new KeywardError("argument", "the wallet has no such feature");
      }
      return { value: ((await method(...call.inputs)) as unknown) ?? null };
    } catch (error) {
      return { error: errorOnWire(error) };
    }
  }

  /** How many events there were. */
  get #count(): number {
    return this.#dropped + this.#events.length;
  }

  #accounts(): TestEvent {
    const accounts = this.#wallet.standard.accounts.map(({ address, publicKey }) => ({ address, publicKey }));
    return { target: "wallet", accounts };
  }

  #tell(event: TestEvent): void {
    this.#events.push(event);
    if (this.#events.length > MAX_EVENTS) {
      this.#events.shift();
      this.#dropped += 1;
    }
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    waiting.forEach((wake) => wake());
  }

  async #until(seen: number): Promise<void> {
    if (!this.#over && seen >= this.#count) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        if (this.#waiting.length > MAX_WAITING) {
          this.#waiting.shift()?.();
        }
      });
    }
  }
}
