/** What the provider asks of a chain's node: reads for dapps, what a transaction lacks, and the sending. */
import { NoAnswerError, NodeError, callNode } from "../json-rpc.js";
import { toHex, type Hex } from "../bytes.js";
import { ProviderRpcError, failure } from "./errors.js";
import { quantityOf, toQuantity, type TransactionRequest, type WholeTransaction } from "./transaction.js";

/** Methods that only read, and so go to the node as they are. */
export const READS: ReadonlySet<string> = new Set([
  "eth_blobBaseFee",
  "eth_blockNumber",
  "eth_call",
  "eth_createAccessList",
  "eth_estimateGas",
  "eth_feeHistory",
  "eth_gasPrice",
  "eth_getBalance",
  "eth_getBlockByHash",
  "eth_getBlockByNumber",
  "eth_getBlockReceipts",
  "eth_getBlockTransactionCountByHash",
  "eth_getBlockTransactionCountByNumber",
  "eth_getCode",
  "eth_getLogs",
  "eth_getProof",
  "eth_getStorageAt",
  "eth_getTransactionByBlockHashAndIndex",
  "eth_getTransactionByBlockNumberAndIndex",
  "eth_getTransactionByHash",
  "eth_getTransactionCount",
  "eth_getTransactionReceipt",
  "eth_maxPriorityFeePerGas",
  "eth_syncing",
  "web3_clientVersion",
  "web3_sha3",
]);

/** What a plain transfer costs; nothing needs a margin there. */
const TRANSFER_GAS = 21_000n;
const METHOD_NOT_FOUND = -32601;
/** What a whole block has on most chains; more than that no node may want for one transaction. */
const MAX_GAS = 30_000_000n;
const GWEI = 10n ** 9n;
/** A node may want so many times the base fee for each unit of gas; or so much, where that is next to nothing; never more than the last. */
const MAX_TIMES_BASE = 100n;
const SMALL_PRICE = 100n * GWEI;
const MAX_PRICE = 10_000n * GWEI;

/** One chain's node. */
export class ChainNode {
  readonly #chainId: number;
  readonly #url: string | undefined;
  #checked: Promise<void> | undefined;

  constructor(chainId: number, endpoint: string | undefined) {
    this.#chainId = chainId;
    this.#url = endpoint;
  }

  /** A read for a dapp; the node's own errors are passed on. */
  async read(method: string, params: readonly unknown[] | object): Promise<unknown> {
    await this.#check();
    return this.#ask(method, params);
  }

  /** Completes a transaction with what it lacks: nonce, fees (EIP-1559 where the chain has it) and gas. */
  async complete(own: TransactionRequest): Promise<WholeTransaction> {
    await this.#check();
    const nonce = own.nonce ?? (await this.#quantity("eth_getTransactionCount", [own.from, "pending"]));
    const fees = await this.#fees(own);
    const gas = own.gas ?? (await this.#gas(own));
    const { to, value, data, accessList } = own;
    return { chainId: BigInt(this.#chainId), to, value, data, accessList, nonce, gas, fees };
  }

  /** Sends a signed transaction, once; gives its hash. */
  async send(signed: Hex, nonce: bigint): Promise<Hex> {
    let hash: unknown;
    try {
      hash = await callNode(this.#endpoint(), "eth_sendRawTransaction", [signed]);
    } catch (error) {
      if (error instanceof NodeError && !/already known|already imported|known transaction/i.test(error.message)) {
        throw new ProviderRpcError(error.code, `the node refused the transaction and did not send it: ${error.message}`, { data: error.data, cause: error });
      }
      throw unknown(nonce, "the node did not confirm that it took the transaction", error);
    }
    if (typeof hash !== "string" || !/^0x[0-9a-fA-F]{64}$/.test(hash)) {
      throw unknown(nonce, "the node did not name the transaction", undefined);
    }
    return hash as Hex;
  }

  async #fees(own: TransactionRequest): Promise<WholeTransaction["fees"]> {
    const { gasPrice, maxFeePerGas, maxPriorityFeePerGas } = own;
    if (gasPrice !== undefined) {
      return { gasPrice };
    }
    if (maxFeePerGas !== undefined && maxPriorityFeePerGas !== undefined) {
      return { maxFeePerGas, maxPriorityFeePerGas };
    }
    const base = await this.#baseFee();
    if (base === undefined) {
      if (maxFeePerGas !== undefined || maxPriorityFeePerGas !== undefined) {
        throw failure("params", "argument", "maxFeePerGas: this chain has no fees of EIP-1559; give gasPrice");
      }
      return { gasPrice: bounded("gasPrice", await this.#quantity("eth_gasPrice", []), MAX_PRICE) };
    }
    const priority = maxPriorityFeePerGas ?? (await this.#priorityFee(base));
    // Enough for six full blocks in a row; what is not needed stays with the sender.
    const most = maxFeePerGas ?? bounded("maxFeePerGas", 2n * base + priority, mostFor(base));
    return { maxFeePerGas: most, maxPriorityFeePerGas: priority < most ? priority : most };
  }

  async #baseFee(): Promise<bigint | undefined> {
    const block = (await this.#ask("eth_getBlockByNumber", ["latest", false])) as { baseFeePerGas?: unknown } | null;
    const fee = block?.baseFeePerGas;
    return fee === undefined || fee === null ? undefined : answered(fee, "eth_getBlockByNumber");
  }

  async #priorityFee(base: bigint): Promise<bigint> {
    try {
      return await this.#quantity("eth_maxPriorityFeePerGas", []);
    } catch (error) {
      if (!(error instanceof ProviderRpcError && error.code === METHOD_NOT_FOUND)) {
        throw error;
      }
    }
    const price = await this.#quantity("eth_gasPrice", []);
    return price > base ? price - base : 0n;
  }

  async #gas(own: TransactionRequest): Promise<bigint> {
    const { from, to, accessList } = own;
    const call = {
      from,
      ...(to === undefined ? {} : { to }),
      ...(accessList === undefined ? {} : { accessList }),
      value: toQuantity(own.value),
      data: toHex(own.data),
    };
    const estimate = await this.#quantity("eth_estimateGas", [call]);
    bounded("gas", estimate, MAX_GAS);
    // The state may have moved when it is executed; what is not used is not charged.
    const wide = (estimate * 12n) / 10n;
    return estimate === TRANSFER_GAS ? estimate : wide < MAX_GAS ? wide : MAX_GAS;
  }

  async #quantity(method: string, params: readonly unknown[]): Promise<bigint> {
    return answered(await this.#ask(method, params), method);
  }

  /** An endpoint of another chain would answer every question wrongly. */
  async #check(): Promise<void> {
    this.#checked ??= this.#quantity("eth_chainId", []).then((found) => {
      if (found !== BigInt(this.#chainId)) {
        throw failure("chainDisconnected", "chain", `the endpoint is of chain ${found}, not ${this.#chainId}; correct the wallet's settings`);
      }
    });
    try {
      await this.#checked;
    } catch (error) {
      this.#checked = undefined;
      throw error;
    }
  }

  async #ask(method: string, params: readonly unknown[] | object): Promise<unknown> {
    try {
      return await callNode(this.#endpoint(), method, params);
    } catch (error) {
      if (error instanceof NodeError) {
        throw new ProviderRpcError(error.code, error.message, { data: error.data, cause: error });
      }
      if (error instanceof NoAnswerError) {
        throw failure("chainDisconnected", "node", `${error.message}; try again later`, error);
      }
      throw error;
    }
  }

  #endpoint(): string {
    const endpoint = this.#url;
    if (endpoint === undefined) {
      throw failure("chainDisconnected", "no-endpoint", "no RPC endpoint is configured for this chain; ask a node of your own");
    }
    return endpoint;
  }
}

function mostFor(base: bigint): bigint {
  const most = MAX_TIMES_BASE * base > SMALL_PRICE ? MAX_TIMES_BASE * base : SMALL_PRICE;
  return most < MAX_PRICE ? most : MAX_PRICE;
}

/** What a node wants, unless it is beyond all reason: a node must not make a person pay what they like. */
function bounded(name: string, value: bigint, most: bigint): bigint {
  if (value > most) {
    const text = `${name}: the node wants ${value}, and more than ${most} is not taken from a node; give it, or use another node`;
    throw failure("chainDisconnected", "node", text);
  }
  return value;
}

function answered(value: unknown, method: string): bigint {
  try {
    return quantityOf(value, method);
  } catch (cause) {
    throw failure("chainDisconnected", "node", `the node's answer to ${method} is no quantity; use another node`, cause);
  }
}

function unknown(nonce: bigint, why: string, cause: unknown): ProviderRpcError {
  const text = `${why}; whether it took place is unknown: look for this account's transaction ${nonce} before anything is sent again`;
  return failure("internal", "outcome-unknown", text, cause);
}
