import { bytes } from "../bytes.js";
import { KeywardError } from "../errors.js";
import { isRecord } from "./protocol.js";

/** Reads what came from the other end; whatever is not what it should be is an error, never a guess. */
export const read = {
  /** Refuses memory that is shared: its other holders could change it between being read and being signed. */
  bytes: (value: unknown): Uint8Array => {
    const given = bytes(value, "the value");
    return given.buffer instanceof ArrayBuffer ? given : wrong("memory of its own");
  },
  optionalBytes: (value: unknown): Uint8Array | undefined => (value === undefined ? undefined : read.bytes(value)),
  string: (value: unknown): string => (typeof value === "string" ? value : wrong("text")),
  number: (value: unknown): number => (typeof value === "number" ? value : wrong("a number")),
  nothing: (value: unknown): undefined => (value === undefined ? undefined : wrong("nothing")),
  list: (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : wrong("a list")),
  record: (value: unknown): Readonly<Record<string, unknown>> => (isRecord(value) ? value : wrong("an object")),
  optionalRecord: (value: unknown): Readonly<Record<string, unknown>> | undefined =>
    value === undefined ? undefined : read.record(value),
} as const;

function wrong(wanted: string): never {
  throw new KeywardError("argument", `a message between page and worker is not as agreed: ${wanted} was expected`);
}
