/** Addresses, amounts and the sentences that they stand in. */
import { h, type Child } from "./dom";

/** An address in full, its ends stressed. */
export function address(text: string): HTMLElement {
  const lead = text.startsWith("0x") ? 6 : 4;
  return h("code", { class: "address" }, h("b", {}, text.slice(0, lead)), text.slice(lead, -4), h("b", {}, text.slice(-4)));
}

const ADDRESS = /(0x[0-9a-fA-F]{40}(?![0-9a-zA-Z])|(?<![0-9a-zA-Z])[1-9A-HJ-NP-Za-km-z]{32,44}(?![0-9a-zA-Z]))/;

/** A sentence, every address in it set apart. */
export function sentence(text: string): readonly Child[] {
  // With a group in the separator, every second piece is an address.
  return text.split(ADDRESS).map((piece, at) => (at % 2 === 1 ? address(piece) : piece));
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
