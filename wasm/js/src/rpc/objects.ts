import type { EvmSigner } from "../evm.js";
import type { LookupTables, SignatureDictionary, SolanaSigner, TransactionConfig } from "../solana.js";
import type { AccountsOptions, ImportKeyOptions, Vault } from "../vault.js";
import type { Value } from "./protocol.js";
import { read } from "./read.js";

/** A method as it is called from afar: its arguments unread, its answer fit to cross. */
export type Method<Target> = (target: Target, args: readonly unknown[]) => Value | Promise<Value>;
export type Methods<Target> = Readonly<Record<string, Method<Target>>>;

/** What the worker does with a vault, apart from what makes or ends a handle. */
export const VAULT_METHODS: Methods<Vault> = {
  keepAlive: () => undefined,
  wallets: (vault) => vault.wallets() as unknown as Value,
  accounts: (vault, [options]) => vault.accounts(accountsOptions(options)) as unknown as Value,
  importKey: (vault, [key, options]) => vault.importKey(read.bytes(key), importOptions(options)) as unknown as Value,
  export: (vault) => vault.export(),
  changePassword: async (vault, [current, next, secondFactor, kdf]) => {
    const second = read.optionalBytes(secondFactor);
    await vault.changePassword(read.bytes(current), read.bytes(next), {
      ...(second === undefined ? {} : { secondFactor: second }),
      ...(kdf === undefined ? {} : { kdf: read.string(kdf) }),
    });
    return undefined;
  },
};

export const SOLANA_METHODS: Methods<SolanaSigner> = {
  lookupTables: (signer, [transactions]) => [
    ...new Set(read.list(transactions).flatMap((transaction) => signer.lookupTables(read.bytes(transaction)))),
  ],
  inspect: async (signer, [transaction, tables]) =>
    (await signer.inspect(read.bytes(transaction), config(tables))) as unknown as Value,
  inspectMessage: (signer, [message]) => signer.inspectMessage(read.bytes(message)) as unknown as Value,
  signMessage: (signer, [message]) => signer.signMessage(read.bytes(message)),
  signMessages: async (signer, [messages]) => {
    const contents = read.list(messages).map((content) => ({ content: read.bytes(content) }));
    return signaturesOf(signer, await signer.signMessages(contents));
  },
  signTransactions: async (signer, [messages, tables]) => {
    const transactions = read.list(messages).map((message) => ({ messageBytes: read.bytes(message) }));
    return signaturesOf(signer, await signer.signTransactions(transactions, config(tables)));
  },
  signTransactionBytes: (signer, [wire, tables]) => signer.signTransactionBytes(read.bytes(wire), config(tables)),
};

export const EVM_METHODS: Methods<EvmSigner> = {
  inspect: (signer, [unsigned]) => signer.inspect(read.bytes(unsigned)) as unknown as Value,
  inspectMessage: (signer, [message]) => signer.inspectMessage(read.bytes(message)) as unknown as Value,
  inspectTypedData: (signer, [document]) => signer.inspectTypedData(read.string(document)) as unknown as Value,
  signMessage: (signer, [message]) => signer.signMessage(read.bytes(message)),
  signTypedData: (signer, [document]) => signer.signTypedData(read.string(document)),
  signTransaction: (signer, [unsigned]) => signer.signTransaction(read.bytes(unsigned)),
};

function signaturesOf(signer: SolanaSigner, dictionaries: readonly SignatureDictionary[]): Value {
  return dictionaries.map((signatures) => signatures[signer.address]);
}

function accountsOptions(value: unknown): AccountsOptions {
  const { family, start, count } = read.optionalRecord(value) ?? {};
  return {
    // The core knows which families there are, and refuses all other names.
    ...(family === undefined ? {} : { family: read.string(family) as NonNullable<AccountsOptions["family"]> }),
    ...(start === undefined ? {} : { start: read.number(start) }),
    ...(count === undefined ? {} : { count: read.number(count) }),
  };
}

function importOptions(value: unknown): ImportKeyOptions {
  const { format, chain, password, label } = read.optionalRecord(value) ?? {};
  return {
    ...(format === undefined ? {} : { format: read.string(format) as NonNullable<ImportKeyOptions["format"]> }),
    ...(chain === undefined ? {} : { chain: read.string(chain) as NonNullable<ImportKeyOptions["chain"]> }),
    ...(password === undefined ? {} : { password: read.bytes(password) }),
    ...(label === undefined ? {} : { label: read.string(label) }),
  };
}

/** Without tables from the page there are none: the worker has no source of its own. */
function config(value: unknown): TransactionConfig {
  const tables = read.optionalRecord(value);
  if (tables === undefined) {
    return {};
  }
  const entries = Object.entries(tables).map(([table, held]) => [table, read.list(held).map(read.string)] as const);
  const lookupTables: LookupTables = Object.fromEntries(entries);
  return { lookupTables };
}
