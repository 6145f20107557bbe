/** Why the core refused something, one of possibly several reasons. */
export interface RefusalReason {
  /** Stable, for programs. */
  readonly code: string;
  /** For people: the cause and the remedy. */
  readonly message: string;
}

/**
 * Every error that this package throws. Programs compare `code`, which is stable; people read `message`. Neither
 * holds a secret.
 *
 * Codes of this half: `not-initialized`, `initialization`, `argument`, `freed`, `aborted`, `internal` (the module
 * stopped at a fault of its own), `poisoned` (it did so before and is not used again; reload the page). All others
 * come from the core and are listed in the README.
 */
export class KeywardError extends Error {
  override readonly name: string = "KeywardError";
  readonly code: string;
  /** Of the code `refused`: every reason. */
  readonly reasons: readonly RefusalReason[];
  /** Of the code `phrase-unknown-word`: which word, counted from 1. */
  readonly position: number | undefined;

  constructor(
    code: string,
    message: string,
    options: { cause?: unknown; reasons?: readonly RefusalReason[]; position?: number | undefined } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.reasons = options.reasons ?? [];
    this.position = options.position;
  }
}

/**
 * The error that the lower half threw, as one of ours; `undefined` for anything else. Only its own properties count: a
 * `code` that something else put on a prototype makes no fault a known error, nor does one in another style (Node's).
 */
export function fromCore(error: unknown): KeywardError | undefined {
  if (!(error instanceof Error)) {
    return undefined;
  }
  const own = (name: string): unknown => (Object.hasOwn(error, name) ? (error as unknown as Record<string, unknown>)[name] : undefined);
  const [code, reasons, position] = [own("code"), own("reasons"), own("position")];
  if (typeof code !== "string" || !/^[a-z0-9-]+$/.test(code)) {
    return undefined;
  }
  return new KeywardError(code, error.message, {
    reasons: Array.isArray(reasons) ? (reasons as readonly RefusalReason[]) : [],
    position: typeof position === "number" ? position : undefined,
  });
}
