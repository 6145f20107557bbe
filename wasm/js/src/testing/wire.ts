/** What passes between a page and the test's process: JSON text, with bytes in it. */
import { fromHex, toHex, type Hex } from "../bytes.js";
import { ProviderRpcError } from "../eip6963/errors.js";
import { KeywardError, type RefusalReason } from "../errors.js";

/** What a document asks the test's process for. */
export type Call =
  | { readonly kind: "wallet"; readonly feature: string; readonly inputs: readonly unknown[] }
  | { readonly kind: "provider"; readonly request: unknown }
  /** Answered once there is an event that the document has not seen. */
  | { readonly kind: "events" };

export interface Question {
  /** The page's host: each has a connection of its own. */
  readonly host: string;
  /** How many events the document has seen; below 0 if it is new. */
  readonly seen: number;
  readonly call: Call;
}

export type TestEvent =
  | { readonly target: "wallet"; readonly accounts: readonly { readonly address: string; readonly publicKey: Uint8Array }[] }
  | { readonly target: "provider"; readonly event: string; readonly value: unknown };

export type Outcome = { readonly value: unknown } | { readonly error: WireError };

export interface Reply {
  /** For a new document: how things stood when it asked. */
  readonly before: TestEvent | null;
  /** What happened since the document asked last; the first of it is the one with the number `first`. */
  readonly events: readonly TestEvent[];
  readonly first: number;
  readonly outcome: Outcome;
  /** The wallet was freed: nothing is answered any more. */
  readonly over: boolean;
}

/** What a page's script is told by the test's process. */
export interface PageConfig {
  readonly binding: string;
  readonly name: string;
  readonly icon: string;
  readonly rdns: string;
  readonly chains: readonly string[];
  readonly features: Readonly<Record<string, { readonly version: string; readonly supportedTransactionVersions?: readonly unknown[] }>>;
}

export interface WireError {
  readonly code: string | number;
  readonly message: string;
  readonly data?: unknown;
  readonly reasons?: readonly RefusalReason[];
  /** Of a rejection the number that dapps know. */
  readonly number?: number;
}

const BYTES = "$bytes";

export function pack(value: unknown): string {
  return JSON.stringify(packed(value));
}

export function unpack(text: string): unknown {
  return JSON.parse(text, (_name, value: unknown) => {
    const digits = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[BYTES] : undefined;
    return typeof digits === "string" ? fromHex(digits as Hex, "bytes") : value;
  });
}

function packed(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) {
    return { [BYTES]: toHex(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) };
  }
  if (Array.isArray(value)) {
    return (value as readonly unknown[]).map(packed);
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, own]) => [name, packed(own)]));
  }
  return value;
}

export function errorOnWire(error: unknown): WireError {
  if (error instanceof ProviderRpcError) {
    return { code: error.code, message: error.message, data: error.data };
  }
  if (error instanceof KeywardError) {
    const number = (error.cause as { code?: unknown } | undefined)?.code;
    const { code, message, reasons } = error;
    return typeof number === "number" ? { code, message, reasons, number } : { code, message, reasons };
  }
  return { code: "internal", message: `the test wallet stopped at a fault: ${String(error)}` };
}

export function errorOffWire({ code, message, data, reasons = [], number }: WireError): Error {
  if (typeof code === "number") {
    return new ProviderRpcError(code, message, { data });
  }
  return new KeywardError(code, message, number === undefined ? { reasons } : { reasons, cause: { code: number, message } });
}
