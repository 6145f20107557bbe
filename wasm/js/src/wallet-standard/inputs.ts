/** What dapps hand over, taken once and checked: nothing of theirs is looked at twice. */
import { bytes } from "../bytes.js";
import { KeywardError } from "../errors.js";
import type { SignInInput, SolanaCommitment } from "./options.js";

/** The most transactions, messages or sign-ins of one call. */
const MAX_BATCH = 64;
/** The most bytes of a transaction or a message, far above what anything takes. */
const MAX_BYTES = 131_072;
/** The first byte of a transaction of a version above 0, whose message comes first. */
const LATER_VERSION = 0x80;

export interface TransactionInput {
  readonly address: string;
  readonly wire: Uint8Array;
  readonly chain: string | undefined;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface MessageInput {
  readonly address: string;
  readonly message: Uint8Array;
}

/** What `sendTransaction` and the wait after it are told. */
export interface SendOptions {
  readonly commitment: SolanaCommitment | undefined;
  readonly node: Readonly<Record<string, unknown>>;
}

export function transactionInputs(inputs: readonly unknown[]): readonly TransactionInput[] {
  return batch(inputs).map((input) => {
    const wire = copied(input["transaction"], "transaction");
    if (((wire[0] ?? 0) & LATER_VERSION) !== 0) {
      throw new KeywardError("transaction", "transactions of this version are not among the supported ones; build it as legacy or version 0");
    }
    const { chain, options } = input;
    if (chain !== undefined && typeof chain !== "string") {
      throw new KeywardError("argument", "chain must be a string");
    }
    return { address: addressOf(input), wire, chain, options: options === undefined ? {} : { ...record(options, "options") } };
  });
}

export function messageInputs(inputs: readonly unknown[]): readonly MessageInput[] {
  return batch(inputs).map((input) => ({ address: addressOf(input), message: copied(input["message"], "message") }));
}

const SIGN_IN_TEXTS = [
  "domain",
  "address",
  "statement",
  "uri",
  "version",
  "chainId",
  "nonce",
  "issuedAt",
  "expirationTime",
  "notBefore",
  "requestId",
] as const;

export function signInInputs(inputs: readonly unknown[]): readonly SignInInput[] {
  return batch(inputs.length === 0 ? [{}] : inputs).map((input) => {
    const taken: Record<string, string | readonly string[]> = {};
    for (const name of SIGN_IN_TEXTS) {
      const value = input[name];
      if (value !== undefined && typeof value !== "string") {
        throw new KeywardError("argument", `${name} of a sign-in must be a string`);
      }
      if (value !== undefined) {
        taken[name] = value;
      }
    }
    const { resources } = input;
    if (resources !== undefined) {
      const list: readonly unknown[] = Array.isArray(resources) ? [...(resources as readonly unknown[])] : [undefined];
      if (!list.every((own) => typeof own === "string")) {
        throw new KeywardError("argument", "resources of a sign-in must be a list of strings");
      }
      taken["resources"] = list;
    }
    return taken;
  });
}

const COMMITMENTS = ["processed", "confirmed", "finalized"] as const;

export function sendOptions(options: Readonly<Record<string, unknown>>): SendOptions {
  const commitment = commitmentOf(options["commitment"], "commitment");
  const preflight = commitmentOf(options["preflightCommitment"], "preflightCommitment");
  const skipPreflight = options["skipPreflight"];
  if (skipPreflight !== undefined && typeof skipPreflight !== "boolean") {
    throw new KeywardError("argument", "skipPreflight must be a boolean");
  }
  const node = {
    encoding: "base64",
    preflightCommitment: preflight ?? commitment ?? "confirmed",
    ...(skipPreflight === undefined ? {} : { skipPreflight }),
    ...count(options, "maxRetries"),
    ...count(options, "minContextSlot"),
  };
  return { commitment, node };
}

function commitmentOf(value: unknown, name: string): SolanaCommitment | undefined {
  const known = COMMITMENTS.find((own) => own === value);
  if (known === undefined && value !== undefined) {
    throw new KeywardError("argument", `${name} must be processed, confirmed or finalized`);
  }
  return known;
}

function count(options: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, number>> {
  const value = options[name];
  if (value === undefined) {
    return {};
  }
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw new KeywardError("argument", `${name} must be a whole number from 0 on`);
  }
  return { [name]: value as number };
}

function batch(inputs: readonly unknown[]): readonly Readonly<Record<string, unknown>>[] {
  if (inputs.length === 0 || inputs.length > MAX_BATCH) {
    throw new KeywardError("argument", `a call takes from 1 to ${MAX_BATCH} inputs`);
  }
  return inputs.map((input) => record(input, "input"));
}

function addressOf(input: Readonly<Record<string, unknown>>): string {
  const { address } = record(input["account"], "account");
  if (typeof address !== "string") {
    throw new KeywardError("argument", "account must be one of the wallet's accounts");
  }
  return address;
}

function record(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) {
    throw new KeywardError("argument", `${name} must be an object`);
  }
  return value as Readonly<Record<string, unknown>>;
}

/** A copy by the platform's own hand: a dapp's array may have methods of its own. */
function copied(value: unknown, name: string): Uint8Array {
  const given = bytes(value, name);
  const copy = new Uint8Array(given);
  if (copy.length === 0 || copy.length > MAX_BYTES) {
    throw new KeywardError("argument", `${name} must have from 1 to ${MAX_BYTES} bytes`);
  }
  return copy;
}
