import { KeywardError, type RefusalReason } from "../errors.js";

/** The numbers that EIP-1193, EIP-1474 and EIP-3085 give to what goes wrong. */
export const CODES = {
  rejected: 4001,
  unauthorized: 4100,
  unsupported: 4200,
  disconnected: 4900,
  chainDisconnected: 4901,
  unknownChain: 4902,
  params: -32602,
  internal: -32603,
  limit: -32005,
} as const;

/** What stands beside the number: this package's stable code and, of `refused`, every reason. */
export interface ProviderErrorData {
  readonly code: string;
  readonly reasons?: readonly RefusalReason[];
}

/** What a provider's `request` rejects with. `code` is a number of EIP-1193 or JSON-RPC, or the node's own. */
export class ProviderRpcError extends Error {
  override readonly name: string = "ProviderRpcError";
  readonly code: number;
  /** Of this package's errors a {@link ProviderErrorData}; of a node's, what the node gave. */
  readonly data: unknown;

  constructor(code: number, message: string, options: { data?: unknown; cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.data = options.data;
  }
}

/** An error of the provider's own: number, stable code, cause and remedy. */
export function failure(code: keyof typeof CODES, own: string, message: string, cause?: unknown): ProviderRpcError {
  const data: ProviderErrorData = { code: own };
  return new ProviderRpcError(CODES[code], message, cause === undefined ? { data } : { data, cause });
}

/** Codes of the signer that say: the vault is not open (any more). */
const GONE = new Set(["locked", "freed", "terminated", "worker", "poisoned"]);

/** Whether an error says that the wallet behind the provider cannot sign until it is opened again. */
export function isGone(error: unknown): boolean {
  return error instanceof KeywardError && GONE.has(error.code);
}

/** Whatever was thrown, as what `request` rejects with: without its cause, which is the page's own and may hold addresses of nodes. */
export function asProviderError(error: unknown): ProviderRpcError {
  if (error instanceof ProviderRpcError) {
    return new ProviderRpcError(error.code, error.message, { data: error.data });
  }
  if (!(error instanceof KeywardError)) {
    return failure("internal", "internal", "the wallet stopped at a fault; reload the page");
  }
  const data: ProviderErrorData = error.reasons.length === 0 ? { code: error.code } : { code: error.code, reasons: error.reasons };
  return new ProviderRpcError(numberOf(error.code), error.message, { data });
}

function numberOf(code: string): number {
  if (code === "rejected" || code === "refused" || code === "aborted") {
    return CODES.rejected;
  }
  if (code === "busy") {
    return CODES.limit;
  }
  if (GONE.has(code) || code === "domain" || code === "sign-in") {
    return CODES.unauthorized;
  }
  return ["transaction", "typed-data", "argument", "number", "not-utf8", "too-long"].includes(code) ? CODES.params : CODES.internal;
}
