/** What callers hand over, checked before it goes to the lower half: a wrong type there would be a fault of the module. */
import { bytes } from "./bytes.js";
import { KeywardError } from "./errors.js";

/** The argument itself if it is a string. */
export function string(value: unknown, name: string): string {
  if (typeof value !== "string") {
    throw new KeywardError("argument", `${name} must be a string`);
  }
  return value;
}

export function optionalString(value: unknown, name: string): string | undefined {
  return value === undefined ? undefined : string(value, name);
}

/** The argument itself if it is a number; its range is the lower half's to check. */
export function number(value: unknown, name: string): number {
  if (typeof value !== "number") {
    throw new KeywardError("argument", `${name} must be a number`);
  }
  return value;
}

/** A named option, unless it is none of the caller's but one that something put on `Object.prototype`. */
export function option<Options extends object, Name extends keyof Options>(options: Options, name: Name): Options[Name] | undefined {
  if (typeof options !== "object" || options === null) {
    throw new KeywardError("argument", "the options must be an object");
  }
  return Object.hasOwn(options, name) || !(name in Object.prototype) ? options[name] : undefined;
}

type Given = Readonly<Record<string, Uint8Array | undefined>>;
type Copies<All extends Given, Needed extends keyof All> = { readonly [Name in Needed]: Uint8Array } & {
  readonly [Name in Exclude<keyof All, Needed>]: Uint8Array | undefined;
};

/**
 * Does work that waits, with copies of arrays that are made before it: callers wipe their own as soon as they have the
 * promise. The copies are wiped at the end, however it ends.
 *
 * @throws KeywardError of the code `argument` where one that is `needed` is missing or is no `Uint8Array`.
 */
export async function withCopies<All extends Given, Needed extends keyof All & string, T>(
  given: All,
  needed: readonly Needed[],
  work: (copies: Copies<All, Needed>) => Promise<T>,
): Promise<T> {
  const copies: Record<string, Uint8Array | undefined> = {};
  try {
    for (const [name, value] of Object.entries(given)) {
      const wanted = value !== undefined || (needed as readonly string[]).includes(name);
      // By the constructor: Buffer#slice gives the same memory again.
      copies[name] = wanted ? new Uint8Array(bytes(value, name)) : undefined;
    }
    return await work(copies as Copies<All, Needed>);
  } finally {
    for (const copy of Object.values(copies)) {
      copy?.fill(0);
    }
  }
}
