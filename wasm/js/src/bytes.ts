import { KeywardError } from "./errors.js";

/** Bytes as hexadecimal digits after `0x`. */
export type Hex = `0x${string}`;

/** The argument itself if it is a `Uint8Array`, of whichever realm: secrets are never strings here. */
export function bytes(value: unknown, name: string): Uint8Array {
  if (ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === "[object Uint8Array]") {
    return value as Uint8Array;
  }
  throw new KeywardError("argument", `${name} must be a Uint8Array`);
}

export function optionalBytes(value: unknown, name: string): Uint8Array | undefined {
  return value === undefined ? undefined : bytes(value, name);
}

export function toHex(from: Uint8Array): Hex {
  let digits = "";
  for (const byte of from) {
    digits += byte.toString(16).padStart(2, "0");
  }
  return `0x${digits}`;
}

export function fromHex(from: Hex | Uint8Array, name: string): Uint8Array {
  if (typeof from !== "string") {
    return bytes(from, name);
  }
  if (!/^0x([0-9a-fA-F]{2})*$/.test(from)) {
    throw new KeywardError("argument", `${name} must be 0x and an even number of hexadecimal digits`);
  }
  const to = new Uint8Array((from.length - 2) / 2);
  for (let at = 0; at < to.length; at += 1) {
    to[at] = Number.parseInt(from.slice(2 + 2 * at, 4 + 2 * at), 16);
  }
  return to;
}
