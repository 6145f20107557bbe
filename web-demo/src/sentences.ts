/** Addresses, amounts and the sentences that they stand in. */
import { h, type Child } from "./dom";

/** An address in full, its ends stressed. */
export function address(text: string): HTMLElement {
  const lead = text.startsWith("0x") ? 6 : 4;
  return h("code", { class: "address" }, h("b", {}, text.slice(0, lead)), text.slice(lead, -4), h("b", {}, text.slice(-4)));
}

const ADDRESS = /(0x[0-9a-fA-F]{40}(?![0-9a-zA-Z])|(?<![0-9a-zA-Z])[1-9A-HJ-NP-Za-km-z]{32,44}(?![0-9a-zA-Z]))/;

/** What shows nothing or moves what stands beside it: controls, formats and separators of lines. */
const UNSEEN = /([\p{Cc}\p{Cf}\p{Zl}\p{Zp}])/u;

/** Text in which what cannot be seen is drawn as its number. */
export function drawn(text: string): readonly Child[] {
  return text.split(UNSEEN).map((piece, at) => (at % 2 === 1 ? h("span", { class: "unseen" }, codePoint(piece)) : piece));
}

function codePoint(character: string): string {
  return `<U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}>`;
}

/** Lines as they are, empty ones and whatever cannot be seen made visible. */
export function lines(text: string): readonly Child[] {
  return text
    .split("\n")
    .flatMap((line, at, all) => [
      ...(line.trim() === "" && all.length > 1 ? [h("span", { class: "unseen" }, "↵")] : []),
      ...drawn(line),
      at + 1 < all.length && "\n",
    ]);
}

/** How long a text is, in words. */
export function extent(text: string): string {
  const [rows, characters] = [text.split("\n").length, [...text].length];
  return `${rows === 1 ? "1 line" : `${rows} lines`}, ${characters === 1 ? "1 character" : `${characters} characters`}`;
}

/** A sentence, every address in it set apart. */
export function sentence(text: string): readonly Child[] {
  // With a group in the separator, every second piece is an address.
  return text.split(ADDRESS).flatMap((piece, at) => (at % 2 === 1 ? [address(piece)] : drawn(piece)));
}

/** Whole units as a decimal number, exact. */
export function decimal(units: string, decimals: number): string {
  const digits = units.padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(\d{3})+$)/g, ",");
  return decimals === 0 ? whole : `${whole}.${digits.slice(-decimals)}`;
}

/** A sentence of the core, which begins in lower case, as one that stands alone. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
