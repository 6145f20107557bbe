/**
 * Announces an open vault's EVM wallets by EIP-6963, so that dapps in the same page find a provider of EIP-1193.
 *
 * The keys stay with whoever made the signers; this holds none and asks before every signature. It draws nothing: the
 * page's `confirm` does.
 */
import { announce, newUuid } from "./eip6963/announce.js";
import type { ProviderOptions, RegisteredProvider } from "./eip6963/options.js";
import { Provider } from "./eip6963/provider.js";
import { own } from "./own.js";

export { ProviderRpcError, type ProviderErrorData } from "./eip6963/errors.js";
export type {
  Eip1193Provider,
  EvmChain,
  EvmConfirmation,
  ProviderEvents,
  ProviderOptions,
  RegisteredProvider,
  RequestArguments,
} from "./eip6963/options.js";

/** Announces a provider to every dapp of the page, those that come later included. */
export function registerProvider(options: ProviderOptions): RegisteredProvider {
  const made = new Provider(options);
  const { name, icon, rdns } = options;
  const uuid = own(options, "uuid") ?? newUuid();
  const end = announce({ uuid, name, icon, rdns }, made.provider);
  return {
    provider: made.provider,
    disconnect: () => made.disconnect(),
    unregister: () => {
      end();
      made.close();
    },
  };
}
