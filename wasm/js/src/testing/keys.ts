/** The keys of a test wallet, and the record of what it was asked. */
import { init } from "../engine.js";
import type { EvmConfirmation } from "../eip6963/options.js";
import { KeywardError } from "../errors.js";
import { createVault, importKey, type Vault } from "../vault.js";
import type { EvmWallet, SolanaWallet } from "../wallets.js";
import type { Confirmation } from "../wallet-standard/options.js";
import type { SessionOptions } from "./session.js";
import type { TestAnswer, TestRequest, TestWalletOptions } from "./options.js";

const MAX_REQUESTS = 1000;
/** Known to everybody: whatever is sent to its accounts is anybody's. */
const PUBLIC_PHRASE = "test test test test test test test test test test test junk";
/** Red, with the word TEST: nobody shall take it for a wallet. */
export const ICON =
  "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCA5NiA5NiI+PHJlY3Qgd2lkdGg9Ijk2IiBoZWlnaHQ9Ijk2IiBmaWxsPSIj\
YzAwIi8+PHRleHQgeD0iNDgiIHk9IjU4IiBmb250LWZhbWlseT0ic2Fucy1zZXJpZiIgZm9udC1zaXplPSIyOCIgZm9udC13ZWlnaHQ9ImJvbGQiIHRleHQtYW5jaG9yPSJtaWRkbGUiIGZpbGw9IiNmZmYi\
PlRFU1Q8L3RleHQ+PC9zdmc+" as const;
export const RDNS = "test.keyward.headless";

export class TestKeys {
  readonly #vault: Vault;
  readonly #options: TestWalletOptions;
  readonly #requests: TestRequest[] = [];
  readonly #solana: readonly SolanaWallet[];
  readonly #evm: readonly EvmWallet[];
  readonly addresses: { readonly solana: readonly string[]; readonly evm: readonly string[] };
  #answer: TestAnswer;
  #freed = false;

  private constructor(vault: Vault, options: TestWalletOptions, addresses: TestKeys["addresses"]) {
    this.#vault = vault;
    this.#options = options;
    this.#answer = known(options.answer);
    this.addresses = addresses;
    this.#solana = addresses.solana.map((address) => vault.solana(address));
    this.#evm = addresses.evm.map((address) => vault.evm(address));
  }

  /** Takes the keys into a vault of this process's memory, under a password that is forgotten at once. */
  static async open(options: TestWalletOptions): Promise<TestKeys> {
    known(options.answer);
    await init();
    const keys = options.keys ?? [];
    const phrase = options.phrase ?? (keys.length === 0 ? new TextEncoder().encode(PUBLIC_PHRASE) : undefined);
    const password = crypto.getRandomValues(new Uint8Array(32)).map((byte) => 0x61 + (byte % 26));
    const vault = await createVault(password, { ...(phrase === undefined ? {} : { phrase }), kdf: "scrypt-16384" });
    password.fill(0);
    try {
      for (const own of keys) {
        const { key, chain } = own instanceof Uint8Array ? { key: own, chain: undefined } : own;
        importKey(vault, key, chain === undefined ? {} : { chain });
      }
      const of = (chain: "solana" | "evm"): readonly string[] =>
        vault.wallets().flatMap((wallet) => (wallet.chain === chain ? [wallet.address] : []));
      return new TestKeys(vault, options, { solana: of("solana"), evm: of("evm") });
    } catch (error) {
      vault.free();
      throw error;
    }
  }

  get requests(): readonly TestRequest[] {
    return [...this.#requests];
  }

  set answer(answer: TestAnswer) {
    this.#answer = known(answer);
  }

  get name(): string {
    return `TEST ${this.#options.name ?? "Keyward"}`;
  }

  /** What the wallets that dapps meet are made of; `host` is what a sign-in must name. */
  sessionOptions(host: string): SessionOptions {
    const { chains = {}, endpoints } = this.#options;
    const common = { name: this.name, icon: ICON, host };
    return {
      wallet: {
        ...common,
        ...(chains.solana === undefined ? {} : { chains: chains.solana }),
        ...(endpoints === undefined ? {} : { endpoints }),
        connect: () => this.#connect("wallet-standard", this.#solana),
        confirm: (request: Confirmation) => this.#asked({ standard: "wallet-standard", ...request }),
      },
      provider: {
        ...common,
        rdns: RDNS,
        chains: chains.evm ?? [{ chainId: 1 }],
        connect: () => this.#connect("eip6963", this.#evm),
        confirm: (request: EvmConfirmation) => this.#asked({ standard: "eip6963", ...request }),
      },
    };
  }

  free(): void {
    this.#freed = true;
    this.#vault.free();
  }

  async #connect<Wallet>(standard: TestRequest["standard"], wallets: readonly Wallet[]): Promise<readonly Wallet[]> {
    return (await this.#asked({ standard, kind: "connect" })) ? wallets : [];
  }

  async #asked(request: TestRequest): Promise<boolean> {
    if (this.#freed) {
      throw new KeywardError("freed", "the test wallet was freed");
    }
    this.#requests.push(Object.freeze(request));
    this.#requests.splice(0, this.#requests.length - MAX_REQUESTS);
    const answer = this.#answer;
    return typeof answer === "function" ? (await answer(request)) === true : answer === "approve";
  }
}

function known(answer: TestAnswer): TestAnswer {
  if (answer !== "approve" && answer !== "deny" && typeof answer !== "function") {
    throw new KeywardError("argument", 'answer must be "approve", "deny" or a function');
  }
  return answer;
}
