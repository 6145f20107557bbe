import { KeywardError, type RefusalReason } from "../errors.js";

/**
 * What page and worker say to each other. Both ends are of one package, yet nothing is believed: a worker may be an
 * older file from a cache, and any script of the page can post to it. Messages without the mark are somebody else's
 * and are passed over.
 */
export const PROTOCOL = 1;

/** Most calls on their way at once, and most vaults and signers that a worker keeps. */
export const MAX_CALLS = 256;
export const MAX_HANDLES = 4096;

/** Bounds of the idle time after which a worker locks, in milliseconds. */
export const MIN_AUTO_LOCK_MS = 1_000;
export const MAX_AUTO_LOCK_MS = 86_400_000;
export const DEFAULT_AUTO_LOCK_MS = 300_000;

/** Why a vault was locked. */
export type LockReason = "asked" | "idle" | "terminated";

/** What crosses as an argument or an answer: structures of these alone. */
export type Value =
  | undefined
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | WebAssembly.Module
  | readonly Value[]
  | { readonly [name: string]: Value };

/** From the page: `target` is the vault or signer that is called, 0 for the worker itself. */
export interface Request {
  readonly keyward: typeof PROTOCOL;
  readonly id: number;
  readonly target: number;
  readonly method: string;
  readonly args: readonly Value[];
}

/** An error on its way across. */
export interface SentError {
  readonly code: string;
  readonly message: string;
  readonly reasons: readonly RefusalReason[];
  readonly position: number | undefined;
}

/** From the worker: the answer to a request, or that a vault was locked. */
export type Reply =
  | { readonly keyward: typeof PROTOCOL; readonly id: number; readonly value: Value }
  | { readonly keyward: typeof PROTOCOL; readonly id: number; readonly error: SentError }
  | { readonly keyward: typeof PROTOCOL; readonly locked: number; readonly why: "asked" | "idle" };

/** What both ends have in common with `Worker`, `DedicatedWorkerGlobalScope` and `MessagePort`. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: string, listener: (event: Event) => void): void;
  removeEventListener(type: string, listener: (event: Event) => void): void;
  start?(): void;
}

/** What a message is to this end: nothing of ours, something of another version, or ours with its fields unread. */
export function marked(data: unknown): Readonly<Record<string, unknown>> | undefined {
  return isRecord(data) && Object.hasOwn(data, "keyward") ? data : undefined;
}

/** A request, or `undefined` for what is none. */
export function asRequest(data: Readonly<Record<string, unknown>>): Request | undefined {
  const { keyward, id, target, method, args } = data;
  const sound = keyward === PROTOCOL && isNumber(id) && isNumber(target) && typeof method === "string" && Array.isArray(args);
  return sound ? { keyward: PROTOCOL, id, target, method, args: args as readonly Value[] } : undefined;
}

/** A reply, or `undefined` for what is none. */
export function asReply(data: Readonly<Record<string, unknown>>): Reply | undefined {
  const { keyward, id, locked, why, error } = data;
  if (keyward !== PROTOCOL) {
    return undefined;
  }
  if (isNumber(locked) && (why === "asked" || why === "idle")) {
    return { keyward, locked, why };
  }
  if (!isNumber(id)) {
    return undefined;
  }
  if (!Object.hasOwn(data, "error")) {
    return { keyward, id, value: data["value"] as Value };
  }
  return { keyward, id, error: sentError(error) };
}

/** An error as it crosses. Of one that is none of ours nothing crosses: nobody knows what it holds. */
export function toSent(error: unknown): SentError {
  if (error instanceof KeywardError) {
    return { code: error.code, message: error.message, reasons: error.reasons, position: error.position };
  }
  return { code: "internal", message: "the worker stopped at a fault of its own; start a new one", reasons: [], position: undefined };
}

export function fromSent(error: SentError): KeywardError {
  return new KeywardError(error.code, error.message, { reasons: error.reasons, position: error.position });
}

function sentError(error: unknown): SentError {
  const { code, message, reasons, position } = isRecord(error) ? error : {};
  if (typeof code !== "string" || typeof message !== "string") {
    return toSent(undefined);
  }
  const known = Array.isArray(reasons) ? (reasons as readonly unknown[]).filter(isReason) : [];
  return { code, message, reasons: known, position: typeof position === "number" ? position : undefined };
}

function isReason(value: unknown): value is RefusalReason {
  return isRecord(value) && typeof value["code"] === "string" && typeof value["message"] === "string";
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
