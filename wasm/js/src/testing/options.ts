import type { EvmChain, EvmConfirmation } from "../eip6963/options.js";
import type { Confirmation, SolanaChain } from "../wallet-standard.js";

/** What is known of a request: what an honest wallet would show to its person. */
export type TestRequest =
  | { readonly standard: "wallet-standard"; readonly kind: "connect" }
  | { readonly standard: "eip6963"; readonly kind: "connect" }
  | ({ readonly standard: "wallet-standard" } & Confirmation)
  | ({ readonly standard: "eip6963" } & EvmConfirmation);

/** What the test answers: always yes, always no, or what a function says (only `true` is yes). */
export type TestAnswer = "approve" | "deny" | ((request: TestRequest) => boolean | Promise<boolean>);

export interface TestWalletOptions {
  /** A phrase in UTF-8 whose first accounts sign; the public test phrase "test … junk" if there are no keys either. */
  readonly phrase?: Uint8Array;
  /** Keys in any format that Keyward reads, beside or instead of a phrase. */
  readonly keys?: readonly (Uint8Array | { readonly key: Uint8Array; readonly chain?: "solana" | "evm" })[];
  readonly answer: TestAnswer;
  /** Shown after "TEST". */
  readonly name?: string;
  readonly chains?: { readonly solana?: readonly SolanaChain[]; readonly evm?: readonly EvmChain[] };
  /** RPC endpoints of Solana; those of EVM chains stand with their chain. */
  readonly endpoints?: Readonly<Partial<Record<SolanaChain, string>>>;
}

/** What a page object must have: those of Playwright (`addInitScript`) and Puppeteer (`evaluateOnNewDocument`) do. */
export interface PageLike {
  exposeFunction(name: string, callback: (...given: string[]) => Promise<string>): Promise<unknown>;
  addInitScript?(script: { content: string }): Promise<unknown>;
  evaluateOnNewDocument?(script: string): Promise<unknown>;
}

/** An installed test wallet. */
export interface TestWallet {
  readonly addresses: { readonly solana: readonly string[]; readonly evm: readonly string[] };
  /** Everything that was asked so far, the denied included, oldest first; at most the last 1000. */
  readonly requests: readonly TestRequest[];
  setAnswer(answer: TestAnswer): void;
  /** As if the vault were locked: dapps see no account until they connect again. */
  disconnect(): void;
  /** Wipes the keys; whatever is asked then is refused. */
  free(): void;
}
