import { string } from "./arguments.js";
import { bytes, fromHex, type Hex } from "./bytes.js";
import { KeywardError } from "./errors.js";

/** A document of EIP-712; numbers may be `bigint`. `types` need not hold `EIP712Domain`: it is made from `domain`. */
export interface TypedDataDocument {
  readonly domain?: Readonly<Record<string, unknown>>;
  readonly types: Readonly<Record<string, readonly { readonly name: string; readonly type: string }[]>>;
  readonly primaryType: string;
  readonly message: Readonly<Record<string, unknown>>;
}

/** A message: text, bytes, or either as viem writes it. */
export type EvmMessage = string | Uint8Array | { readonly raw: Hex | Uint8Array };

/** The bytes that a personal message consists of. */
export function messageBytes(message: EvmMessage): Uint8Array {
  if (typeof message === "string") {
    return new TextEncoder().encode(message);
  }
  if (typeof message === "object" && message !== null && !ArrayBuffer.isView(message) && Object.hasOwn(message, "raw")) {
    return fromHex(message.raw, "message.raw");
  }
  return bytes(message, "message");
}

/** The fields that a domain may have, in the order of EIP-712. */
const DOMAIN_FIELDS = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
  { name: "salt", type: "bytes32" },
] as const;

/** Typed data as JSON, its `bigint`s as decimal digits. */
export function documentJson(document: TypedDataDocument | string): string {
  if (typeof document === "string") {
    return document;
  }
  try {
    // Copies hold what is the document's own, as JSON does.
    const copy = { ...document };
    const domain: Readonly<Record<string, unknown>> = { ...(Object.hasOwn(copy, "domain") ? copy.domain : undefined) };
    const types: unknown = Object.hasOwn(copy, "types") ? copy.types : undefined;
    const own = DOMAIN_FIELDS.filter((field) => Object.hasOwn(domain, field.name) && domain[field.name] !== undefined);
    const whole = { ...copy, domain, types: { EIP712Domain: own, ...(types as TypedDataDocument["types"]) } };
    return string(
      JSON.stringify(whole, (_name, value: unknown) => (typeof value === "bigint" ? value.toString() : value)),
      "the typed data",
    );
  } catch (cause) {
    throw new KeywardError("argument", "the typed data cannot be written as JSON", { cause });
  }
}
