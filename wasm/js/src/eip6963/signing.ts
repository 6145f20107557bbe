/** What is shown, confirmed and signed: messages, typed data and transactions, each read by the core first. */
import { fromHex, type Hex } from "../bytes.js";
import { Dialogs } from "../dialogs.js";
import { KeywardError } from "../errors.js";
import { checkClaims } from "../sign-in.js";
import type { EvmWallet } from "../wallets.js";
import { notConnected, rejection, type Accounts } from "./accounts.js";
import type { ChainNode } from "./chain.js";
import { failure } from "./errors.js";
import type { EvmConfirmation } from "./options.js";
import { addressOf, readTransaction, serialize, type TransactionRequest, type WholeTransaction } from "./transaction.js";
import { readSignIn } from "./sign-in.js";

/** The most characters of a message or a document, far above what the core takes. */
const MAX_CHARACTERS = 400_000;

/** What signing needs to know of the provider around it. */
export interface SigningContext {
  readonly accounts: Accounts;
  readonly confirm: (request: EvmConfirmation) => Promise<boolean>;
  readonly host: () => string;
}

/** The chain that a request is for, as it was when the request came. */
export interface Place {
  readonly chainId: number;
  readonly node: ChainNode;
  readonly canSend: boolean;
}

/** A transaction that waits for its turn. */
interface Wanted {
  readonly own: TransactionRequest;
  readonly wallet: EvmWallet;
  readonly place: Place;
  readonly send: boolean;
  /** How often it had been disconnected when the request came. */
  readonly begun: number;
}

export class Signing {
  readonly #context: SigningContext;
  /** Transactions one after the other: two at once would be given the same nonce. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #dialogs = new Dialogs();

  constructor(context: SigningContext) {
    this.#context = context;
  }

  /** `personal_sign`: message, address. */
  async message(params: readonly unknown[], { chainId }: Place): Promise<Hex> {
    const begun = this.#context.accounts.ended;
    const [content, account] = inOrder(params);
    const wallet = this.#context.accounts.wallet(account, "params[1]");
    const { address } = wallet;
    const raw = messageBytes(content);
    const claims = readSignIn(new TextDecoder().decode(raw));
    if (claims !== undefined) {
      checkClaims({ ...claims, address: sameAddress(claims.address, address) }, { host: this.#context.host(), address, nowMs: Date.now() });
      if (claims.fields.get("Chain ID") !== String(chainId)) {
        throw new KeywardError("sign-in", "the sign-in is for another chain than the provider is on; switch the chain first");
      }
    }
    const review = await wallet.inspectMessage({ raw: new Uint8Array(raw) });
    const common = { address, chainId, review };
    const request: EvmConfirmation =
      claims === undefined ? { kind: "message", ...common } : { kind: "sign-in", domain: claims.domain, ...common };
    await this.#confirmed(request, begun);
    return this.#still(wallet).signMessage({ raw });
  }

  /** `eth_signTypedData_v4`: address, document as JSON or as an object. */
  async typedData(params: readonly unknown[], { chainId }: Place): Promise<Hex> {
    const begun = this.#context.accounts.ended;
    const [account, given] = params;
    const wallet = this.#context.accounts.wallet(account, "params[0]");
    if (typeof given !== "string" && (typeof given !== "object" || given === null)) {
      throw failure("params", "argument", "params[1]: it must be a document of EIP-712");
    }
    const document = typeof given === "string" ? given : JSON.stringify(given);
    if (document.length > MAX_CHARACTERS) {
      throw failure("params", "too-long", "params[1]: the document is too long");
    }
    const review = await wallet.inspectTypedData(document);
    if (review.chainId !== String(chainId)) {
      const text = `the document is for chain ${review.chainId} and the provider is on ${chainId}; switch the chain first`;
      throw failure("params", "chain", text);
    }
    await this.#confirmed({ kind: "typed-data", address: wallet.address, chainId, review }, begun);
    return this.#still(wallet).signTypedData(document);
  }

  /** `eth_signTransaction` and `eth_sendTransaction`: what is lacking is filled in, shown, signed and perhaps sent. */
  transaction(params: readonly unknown[], place: Place, send: boolean): Promise<Hex> {
    const begun = this.#context.accounts.ended;
    const own = readTransaction(params[0], place.chainId);
    const wallet = this.#context.accounts.wallet(own.from, "from");
    const work = this.#last.then(() => this.#transaction({ own, wallet, place, send, begun }));
    this.#last = work.catch(() => undefined);
    return work;
  }

  async #transaction({ own, wallet, place, send, begun }: Wanted): Promise<Hex> {
    this.#context.accounts.checkSince(begun);
    const whole = place.canSend ? await place.node.complete(own) : alreadyWhole(own, place.chainId);
    this.#context.accounts.checkSince(begun);
    const unsigned = serialize(whole);
    const review = await wallet.inspect(new Uint8Array(unsigned));
    const filledByNode = place.canSend ? filled(own, whole) : [];
    await this.#confirmed({ kind: "transaction", address: wallet.address, chainId: place.chainId, send, filledByNode, review }, begun);
    const signed = await this.#still(wallet).signTransaction(unsigned);
    return send ? place.node.send(signed, whole.nonce) : signed;
  }

  /** Asks in its turn; what began before a disconnect is neither shown nor signed, whoever has connected since. */
  async #confirmed(request: EvmConfirmation, begun: number): Promise<void> {
    const { accounts, confirm } = this.#context;
    const { allowed, refusals: reasons } = request.review.verdict;
    if (!allowed) {
      const why = reasons.map((reason) => reason.message).join("; and ");
      throw new KeywardError("refused", `the policy refuses it: ${why}`, { reasons });
    }
    accounts.checkSince(begun);
    await this.#dialogs.turn(async () => {
      accounts.checkSince(begun);
      let answer: unknown;
      try {
        answer = await confirm(request);
      } catch {
        throw rejection();
      }
      if (answer !== true) {
        throw rejection();
      }
    });
    accounts.checkSince(begun);
  }

  /** The wallet, if it is the one that is connected still. */
  #still(wallet: EvmWallet): EvmWallet {
    if (this.#context.accounts.wallet(wallet.address, "from") !== wallet) {
      throw notConnected();
    }
    return wallet;
  }
}

/** Some dapps give the address first; what is no address cannot be one. */
function inOrder(params: readonly unknown[]): readonly [content: unknown, account: unknown] {
  const [first, second] = params;
  return addressOf(second) === undefined && addressOf(first) !== undefined ? [second, first] : [first, second];
}

function messageBytes(content: unknown): Uint8Array {
  if (typeof content !== "string" || content.length > MAX_CHARACTERS) {
    throw failure("params", "argument", "params[0]: it must be a message as hexadecimal digits after 0x, or as text, and not too long");
  }
  return content.startsWith("0x") ? fromHex(content as Hex, "params[0]") : new TextEncoder().encode(content);
}

/** EIP-4361 wants the checksum, and many dapps write lower case: either names this wallet. */
function sameAddress(named: string, own: string): string {
  return named.toLowerCase() === own.toLowerCase() ? own : named;
}

/** What a whole transaction has that the dapp had not given. */
function filled(own: TransactionRequest, { fees }: WholeTransaction): readonly string[] {
  const names = ["nonce", "gas", ...Object.keys(fees)] as readonly (keyof TransactionRequest)[];
  return Object.freeze(names.filter((name) => own[name] === undefined));
}

function alreadyWhole(own: TransactionRequest, chainId: number): WholeTransaction {
  const { to, value, data, accessList, nonce, gas, gasPrice, maxFeePerGas, maxPriorityFeePerGas } = own;
  const fees =
    gasPrice !== undefined
      ? { gasPrice }
      : maxFeePerGas !== undefined && maxPriorityFeePerGas !== undefined
        ? { maxFeePerGas, maxPriorityFeePerGas }
        : undefined;
  if (nonce === undefined || gas === undefined || fees === undefined) {
    throw failure("params", "argument", "no RPC endpoint is configured for this chain, so nonce, gas and fees must be given");
  }
  return { chainId: BigInt(chainId), to, value, data, accessList, nonce, gas, fees };
}

