/**
 * A wallet for tests of dapps: the keys stay in the test's own process, the page gets a thin wallet. Not for people.
 */
import { KeywardError } from "./errors.js";
import type { PageLike, TestWallet, TestWalletOptions } from "./testing/options.js";

export type { PageLike, TestAnswer, TestRequest, TestWallet, TestWalletOptions } from "./testing/options.js";

/** Installs a test wallet in every document that the page opens from now on. */
export async function installWallet(_page: PageLike, _options: TestWalletOptions): Promise<TestWallet> {
  throw new KeywardError("internal", "it is being built in this very session");
}

/** A test wallet on the window of this very process. */
export async function headlessWallet(_options: TestWalletOptions): Promise<TestWallet> {
  throw new KeywardError("internal", "it is being built in this very session");
}
