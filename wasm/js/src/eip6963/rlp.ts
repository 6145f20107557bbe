/** Recursive Length Prefix, the writing half: Ethereum's yellow paper, appendix B. */

/** Bytes, or a list of such. */
export type Rlp = Uint8Array | readonly Rlp[];

export function encodeRlp(item: Rlp): Uint8Array {
  if (item instanceof Uint8Array) {
    const [first = 0x80] = item;
    return item.length === 1 && first < 0x80 ? item : joined([header(0x80, item.length), item]);
  }
  const content = joined(item.map(encodeRlp));
  return joined([header(0xc0, content.length), content]);
}

/** A number as RLP has it: big-endian, without leading zeros; zero has no bytes. */
export function numberBytes(value: bigint): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; rest > 0n; rest >>= 8n) {
    bytes.unshift(Number(rest & 0xffn));
  }
  return Uint8Array.from(bytes);
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function header(offset: number, length: number): Uint8Array {
  if (length <= 55) {
    return Uint8Array.of(offset + length);
  }
  const size = numberBytes(BigInt(length));
  return Uint8Array.of(offset + 55 + size.length, ...size);
}
