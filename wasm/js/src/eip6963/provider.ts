import { KeywardError } from "../errors.js";
import { own } from "../own.js";
import { Accounts } from "./accounts.js";
import { ChainNode, READS } from "./chain.js";
import { asProviderError, failure, isGone, type ProviderRpcError } from "./errors.js";
import type { Eip1193Provider, ProviderEvents, ProviderOptions, RequestArguments } from "./options.js";
import { Signing, type Place } from "./signing.js";
import { quantityOf, toQuantity } from "./transaction.js";

/** The most requests at a time, and the most characters of one's parameters. */
const MAX_PENDING = 64;
const MAX_CHARACTERS = 1_000_000;
const EVENTS = ["connect", "disconnect", "chainChanged", "accountsChanged", "message"] as const;
type Method = (params: readonly unknown[]) => unknown;
type Listener = (value: never) => void;

/** A provider of EIP-1193: `provider` is what dapps get. */
export class Provider {
  readonly #ownHost: string | undefined;
  readonly #chains: ReadonlyMap<number, { readonly canSend: boolean; readonly node: ChainNode }>;
  readonly #accounts: Accounts;
  readonly #signing: Signing;
  readonly #listeners = new Map<string, Listener[]>();
  readonly #methods: ReadonlyMap<string, Method>;
  #chainId: number;
  #pending = 0;
  #open = true;
  readonly provider: Eip1193Provider;

  constructor(options: ProviderOptions) {
    this.#ownHost = own(options, "host");
    const chains = options.chains.map((chain) => ({ chainId: chain.chainId, endpoint: own(chain, "endpoint") }));
    if (chains.length === 0 || !chains.every(({ chainId }) => Number.isSafeInteger(chainId) && chainId > 0)) {
      throw new KeywardError("argument", "chains must name at least one chain by its chainId, a whole number from 1 on");
    }
    this.#chains = new Map(
      chains.map(({ chainId, endpoint }) => [chainId, { canSend: endpoint !== undefined, node: new ChainNode(chainId, endpoint) }]),
    );
    this.#chainId = chains[0]?.chainId ?? 0;
    this.#accounts = new Accounts(
      () => options.connect(),
      (addresses) => this.#emit("accountsChanged", [...addresses]),
    );
    this.#signing = new Signing({
      accounts: this.#accounts,
      confirm: (request) => options.confirm(request),
      host: () => this.#host(),
    });
    this.#methods = this.#ownMethods();
    const provider: Eip1193Provider = {
      request: (call) => this.#request(call),
      on: (event, listener) => this.#on(provider, event, listener),
      removeListener: (event, listener) => this.#off(provider, event, listener),
    };
    this.provider = Object.freeze(provider);
    // Whoever is told of the provider in this turn can still listen for it.
    queueMicrotask(() => this.#open && this.#emit("connect", { chainId: toQuantity(this.#chainId) }));
  }

  /** No account is connected any more. */
  disconnect(): void {
    this.#accounts.disconnect();
  }

  /** Nothing is answered any more but 4900. */
  close(): void {
    if (this.#open) {
      this.#open = false;
      this.#accounts.disconnect();
      this.#emit("disconnect", closed());
    }
  }

  async #request(call: RequestArguments): Promise<unknown> {
    const begun = this.#accounts.ended;
    try {
      if (!this.#open) {
        throw closed();
      }
      if (this.#pending >= MAX_PENDING) {
        throw failure("limit", "busy", "too many requests wait for an answer; answer or cancel them first");
      }
      this.#pending += 1;
      try {
        return await this.#answer(call);
      } finally {
        this.#pending -= 1;
      }
    } catch (error) {
      if (begun === this.#accounts.ended && isGone(error)) {
        this.#accounts.disconnect();
      }
      throw asProviderError(error);
    }
  }

  async #answer(call: RequestArguments): Promise<unknown> {
    const { method, params } = taken(call);
    const answer = this.#methods.get(method);
    if (answer !== undefined) {
      return answer(Array.isArray(params) ? (params as readonly unknown[]) : [params]);
    }
    if (READS.has(method)) {
      return this.#place().node.read(method, params);
    }
    throw failure("unsupported", "method", `${method.slice(0, 60)} is not supported; ask a node of your own for it`);
  }

  #ownMethods(): ReadonlyMap<string, Method> {
    const connected = async (): Promise<readonly string[]> => this.#accounts.connect();
    return new Map<string, Method>([
      ["eth_requestAccounts", connected],
      ["eth_accounts", () => this.#accounts.addresses],
      ["eth_chainId", () => toQuantity(this.#chainId)],
      ["net_version", () => String(this.#chainId)],
      ["personal_sign", (params) => this.#signing.message(params, this.#place())],
      ["eth_signTypedData_v4", (params) => this.#signing.typedData(params, this.#place())],
      ["eth_signTransaction", (params) => this.#signing.transaction(params, this.#place(), false)],
      ["eth_sendTransaction", (params) => this.#send(params)],
      ["wallet_switchEthereumChain", (params) => this.#switch(params, "unknownChain")],
      ["wallet_addEthereumChain", (params) => this.#switch(params, "unsupported")],
      ["wallet_getPermissions", () => this.#permissions()],
      ["wallet_requestPermissions", (params) => onlyAccounts(params) && connected().then(() => this.#permissions())],
      ["wallet_revokePermissions", (params) => this.#revoke(params)],
      ["eth_sign", () => this.#refuseBlind()],
    ]);
  }

  #send(params: readonly unknown[]): Promise<unknown> {
    const place = this.#place();
    if (!place.canSend) {
      throw failure("unsupported", "no-endpoint", "no RPC endpoint is configured for this chain; use eth_signTransaction, and send it yourself");
    }
    return this.#signing.transaction(params, place, true);
  }

  #switch(params: readonly unknown[], otherwise: "unknownChain" | "unsupported"): null {
    const { chainId } = (typeof params[0] === "object" && params[0] !== null ? params[0] : {}) as { chainId?: unknown };
    const wanted = quantityOf(chainId, "chainId", BigInt(Number.MAX_SAFE_INTEGER));
    if (!this.#chains.has(Number(wanted))) {
      throw failure(otherwise, "chain", `this wallet is not on chain ${wanted}, and only its owner can add one`);
    }
    if (Number(wanted) !== this.#chainId) {
      this.#chainId = Number(wanted);
      this.#emit("chainChanged", toQuantity(this.#chainId));
    }
    return null;
  }

  /** EIP-2255: the one permission that there is. */
  #permissions(): readonly object[] {
    const value = this.#accounts.addresses;
    if (value.length === 0) {
      return [];
    }
    const invoker = globalThis.location?.origin ?? `https://${this.#host()}`;
    return [{ invoker, parentCapability: "eth_accounts", caveats: [{ type: "restrictReturnedAccounts", value }] }];
  }

  #revoke(params: readonly unknown[]): null {
    onlyAccounts(params);
    this.#accounts.disconnect();
    return null;
  }

  #refuseBlind(): never {
    throw failure("unsupported", "method", "eth_sign signs what nobody can read and is never supported; use personal_sign or eth_signTypedData_v4");
  }

  #place(): Place {
    const entry = this.#chains.get(this.#chainId);
    if (entry === undefined) {
      throw failure("chainDisconnected", "chain", "the chain is not known any more; switch to another");
    }
    return { chainId: this.#chainId, node: entry.node, canSend: entry.canSend };
  }

  #host(): string {
    return this.#ownHost ?? window.location.host;
  }

  #on<Self>(self: Self, event: string, listener: unknown): Self {
    if ((EVENTS as readonly string[]).includes(event) && typeof listener === "function") {
      this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener as Listener]);
    }
    return self;
  }

  #off<Self>(self: Self, event: string, listener: unknown): Self {
    const before = this.#listeners.get(event) ?? [];
    const at = before.lastIndexOf(listener as Listener);
    this.#listeners.set(
      event,
      before.filter((_, other) => other !== at),
    );
    return self;
  }

  #emit<Event extends keyof ProviderEvents>(event: Event, value: ProviderEvents[Event]): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        listener(value as never);
      } catch (error) {
        // A dapp's fault in its own listener is the dapp's to see, and stops nobody else.
        globalThis.reportError?.(error);
      }
    }
  }
}

/** What the dapp asks for, as plain data of the provider's own: nothing of the dapp's is looked at twice. */
function taken(call: RequestArguments): { readonly method: string; readonly params: readonly unknown[] | object } {
  const { method, params = [] } = (typeof call === "object" && call !== null ? call : {}) as { method?: unknown; params?: unknown };
  if (typeof method !== "string") {
    throw failure("params", "argument", "a request must be an object with a method");
  }
  let text: string;
  try {
    text = JSON.stringify(params) ?? "";
  } catch (cause) {
    throw failure("params", "argument", "the parameters must be plain JSON", cause);
  }
  if (text.length > MAX_CHARACTERS) {
    throw failure("params", "too-long", "the parameters are too long");
  }
  const plain: unknown = text === "" ? undefined : JSON.parse(text);
  if (typeof plain !== "object" || plain === null) {
    throw failure("params", "argument", "the parameters must be a list or an object");
  }
  return { method, params: plain };
}

/** EIP-2255 and its revocation name permissions as keys; there is only one here. */
function onlyAccounts(params: readonly unknown[]): true {
  const names = typeof params[0] === "object" && params[0] !== null ? Object.keys(params[0]) : [];
  if (names.length === 0) {
    throw failure("params", "argument", "the parameters must name a permission, such as { eth_accounts: {} }");
  }
  const other = names.find((name) => name !== "eth_accounts");
  if (other !== undefined) {
    throw failure("unsupported", "method", `there is no permission ${other.slice(0, 60)} here; ask for eth_accounts`);
  }
  return true;
}

function closed(): ProviderRpcError {
  return failure("disconnected", "disconnected", "the wallet was removed from this page; reload it");
}
