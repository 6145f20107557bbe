/**
 * A transaction object of JSON-RPC, read strictly, and its unsigned bytes: legacy with EIP-155, EIP-2930 or EIP-1559.
 *
 * Quantities are read as go-ethereum reads them: `0x`, no leading zeros, at least one digit. What is not known is
 * refused rather than left out.
 */
import { fromHex, type Hex } from "../bytes.js";
import { failure, type ProviderRpcError } from "./errors.js";
import { encodeRlp, joined, numberBytes, type Rlp } from "./rlp.js";

/** What nodes pass on at most, in bytes. */
const MAX_BYTES = 131_072;
const MAX_ACCESS_LIST = 1024;
const UINT64 = (1n << 64n) - 1n;
const UINT256 = (1n << 256n) - 1n;

export interface AccessListEntry {
  readonly address: Hex;
  readonly storageKeys: readonly Hex[];
}

/** What the dapp gave; prices in wei for each unit of gas. */
export interface TransactionRequest {
  readonly from: Hex;
  readonly to: Hex | undefined;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly nonce: bigint | undefined;
  readonly gas: bigint | undefined;
  readonly gasPrice: bigint | undefined;
  readonly maxFeePerGas: bigint | undefined;
  readonly maxPriorityFeePerGas: bigint | undefined;
  readonly accessList: readonly AccessListEntry[] | undefined;
}

/** Nothing is missing any more. */
export interface WholeTransaction {
  readonly chainId: bigint;
  readonly to: Hex | undefined;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly nonce: bigint;
  readonly gas: bigint;
  readonly accessList: readonly AccessListEntry[] | undefined;
  readonly fees: { readonly gasPrice: bigint } | { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint };
}

const KNOWN = new Set([
  "from",
  "to",
  "value",
  "data",
  "input",
  "nonce",
  "gas",
  "gasLimit",
  "gasPrice",
  "maxFeePerGas",
  "maxPriorityFeePerGas",
  "accessList",
  "chainId",
  "type",
]);

/** Reads a dapp's transaction for the chain that the provider is on; throws -32602 or 4200 with the reason. */
export function readTransaction(given: unknown, chainId: number): TransactionRequest {
  const fields = entries(given);
  const request: TransactionRequest = {
    from: requiredAddress(fields.get("from"), "from"),
    to: fields.has("to") ? requiredAddress(fields.get("to"), "to") : undefined,
    value: quantity(fields, "value", UINT256) ?? 0n,
    data: either(fields, "data", "input", (name) => dataOf(fields.get(name), name)) ?? new Uint8Array(),
    nonce: quantity(fields, "nonce", UINT64 - 1n),
    gas: either(fields, "gas", "gasLimit", (name) => quantity(fields, name, UINT64) ?? 0n),
    gasPrice: quantity(fields, "gasPrice", UINT256),
    maxFeePerGas: quantity(fields, "maxFeePerGas", UINT256),
    maxPriorityFeePerGas: quantity(fields, "maxPriorityFeePerGas", UINT256),
    accessList: fields.has("accessList") ? accessListOf(fields.get("accessList")) : undefined,
  };
  const named = quantity(fields, "chainId", UINT256);
  if (named !== undefined && named !== BigInt(chainId)) {
    throw invalid("chainId", `it is for chain ${named} and the provider is on ${chainId}; switch the chain first`);
  }
  checkKind(request, quantity(fields, "type", 255n));
  if (request.to === undefined && request.data.length === 0) {
    throw invalid("to", "nobody is paid or called and no contract is created; name a recipient");
  }
  return request;
}

/** The bytes that are signed over, as `EvmSigner.signTransaction` takes them. */
export function serialize(own: WholeTransaction): Uint8Array {
  const to = own.to === undefined ? new Uint8Array() : fromHex(own.to, "to");
  const [chain, nonce, gas, value] = [own.chainId, own.nonce, own.gas, own.value].map(numberBytes) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const list: Rlp = (own.accessList ?? []).map(({ address, storageKeys }) => [
    fromHex(address, "address"),
    storageKeys.map((key) => fromHex(key, "storageKeys")),
  ]);
  let bytes: Uint8Array;
  if ("maxFeePerGas" in own.fees) {
    const fees = [own.fees.maxPriorityFeePerGas, own.fees.maxFeePerGas].map(numberBytes);
    bytes = joined([Uint8Array.of(2), encodeRlp([chain, nonce, ...fees, gas, to, value, own.data, list])]);
  } else {
    const price = numberBytes(own.fees.gasPrice);
    bytes =
      own.accessList === undefined
        ? encodeRlp([nonce, price, gas, to, value, own.data, chain, new Uint8Array(), new Uint8Array()])
        : joined([Uint8Array.of(1), encodeRlp([chain, nonce, price, gas, to, value, own.data, list])]);
  }
  if (bytes.length > MAX_BYTES) {
    throw invalid("the transaction", `it has ${bytes.length} bytes and nodes pass on ${MAX_BYTES}; make it shorter`);
  }
  return bytes;
}

/** A quantity of JSON-RPC: `0x`, no leading zeros; `name` is for the error. */
export function quantityOf(value: unknown, name: string, most: bigint = UINT256): bigint {
  if (typeof value !== "string" || !/^0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})$/.test(value)) {
    throw invalid(name, "it must be a quantity: 0x and hexadecimal digits without leading zeros");
  }
  const number = BigInt(value);
  if (number > most) {
    throw invalid(name, "it is larger than any network accepts");
  }
  return number;
}

export function toQuantity(value: bigint | number): Hex {
  return `0x${value.toString(16)}`;
}

export function addressOf(value: unknown): Hex | undefined {
  return typeof value === "string" && /^0x[0-9a-fA-F]{40}$/.test(value) ? (value as Hex) : undefined;
}

function entries(given: unknown): ReadonlyMap<string, unknown> {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw invalid("the transaction", "it must be an object");
  }
  const fields = new Map(Object.entries(given).filter(([, value]) => value !== undefined && value !== null));
  if (fields.has("authorizationList") || fields.get("type") === "0x4") {
    throw failure("unsupported", "refused", "transactions that hand an account's code over (EIP-7702) are not signed for dapps");
  }
  const unknown = [...fields.keys()].find((name) => !KNOWN.has(name));
  if (unknown !== undefined) {
    throw invalid(unknown.slice(0, 40), "no transaction that is signed here has such a field; leave it out");
  }
  return fields;
}

/** Fees are of one kind, and the type, where it is named, agrees with them. */
function checkKind(own: TransactionRequest, type: bigint | undefined): void {
  const dynamic = own.maxFeePerGas !== undefined || own.maxPriorityFeePerGas !== undefined;
  if (own.gasPrice !== undefined && dynamic) {
    throw invalid("gasPrice", "it stands beside maxFeePerGas or maxPriorityFeePerGas; give one kind of fee");
  }
  if (own.maxFeePerGas !== undefined && (own.maxPriorityFeePerGas ?? 0n) > own.maxFeePerGas) {
    throw invalid("maxPriorityFeePerGas", "it is higher than maxFeePerGas, which no network accepts");
  }
  if (type === undefined) {
    return;
  }
  const agrees =
    (type === 0n && !dynamic && own.accessList === undefined) || (type === 1n && !dynamic) || (type === 2n && own.gasPrice === undefined);
  if (!agrees) {
    throw invalid("type", "it must be 0x0, 0x1 or 0x2 and agree with the fees and the access list");
  }
}

function quantity(fields: ReadonlyMap<string, unknown>, name: string, most: bigint): bigint | undefined {
  return fields.has(name) ? quantityOf(fields.get(name), name, most) : undefined;
}

function dataOf(value: unknown, name: string): Uint8Array {
  if (typeof value !== "string" || !/^0x([0-9a-fA-F]{2})*$/.test(value) || value.length > 2 + 2 * MAX_BYTES) {
    throw invalid(name, "it must be 0x and an even number of hexadecimal digits, of at most 131072 bytes");
  }
  return fromHex(value as Hex, name);
}

/** The value of either name; if both are there they must agree. */
function either<T extends bigint | Uint8Array>(
  fields: ReadonlyMap<string, unknown>,
  name: string,
  other: string,
  read: (name: string) => T,
): T | undefined {
  const values = [name, other].filter((own) => fields.has(own)).map(read);
  const [first, second] = values;
  if (second !== undefined && String(first) !== String(second)) {
    throw invalid(name, `it and ${other} are both given and differ; give one of them`);
  }
  return first;
}

function accessListOf(value: unknown): readonly AccessListEntry[] {
  if (!Array.isArray(value) || value.length > MAX_ACCESS_LIST) {
    throw invalid("accessList", `it must be a list of at most ${MAX_ACCESS_LIST} entries`);
  }
  return (value as readonly unknown[]).map((entry) => {
    const { address, storageKeys } = (typeof entry === "object" && entry !== null ? entry : {}) as { address?: unknown; storageKeys?: unknown };
    const keys: readonly unknown[] = Array.isArray(storageKeys) ? (storageKeys as readonly unknown[]) : [undefined];
    if (keys.length > MAX_ACCESS_LIST || !keys.every((key) => typeof key === "string" && /^0x[0-9a-fA-F]{64}$/.test(key))) {
      throw invalid("accessList", "storageKeys must be a list of 32 bytes each");
    }
    return { address: requiredAddress(address, "accessList"), storageKeys: keys as readonly Hex[] };
  });
}

function requiredAddress(value: unknown, name: string): Hex {
  const address = addressOf(value);
  if (address === undefined) {
    throw invalid(name, "it must be an address: 0x and 40 hexadecimal digits");
  }
  return address;
}

function invalid(name: string, problem: string): ProviderRpcError {
  return failure("params", "argument", `${name}: ${problem}`);
}
