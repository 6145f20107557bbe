/** What sign-in texts (EIP-4361 and Solana's) claim, held to the page that asks and to the clock. */
import { KeywardError } from "./errors.js";

/** What a well-formed sign-in names, as its lines have it. */
export interface SignInClaims {
  /** Host and port. */
  readonly domain: string;
  readonly address: string;
  /** By label: `URI`, `Version`, `Chain ID`, `Nonce`, `Issued At`, `Expiration Time`, `Not Before`, `Request ID`. */
  readonly fields: ReadonlyMap<string, string>;
}

export const LABELS = ["URI", "Version", "Chain ID", "Nonce", "Issued At", "Expiration Time", "Not Before", "Request ID"] as const;
/** How far "Issued At" may be from now in either direction. */
const TOLERANCE_MS = 10 * 60 * 1000;
const TIME = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/;

/** The label and the value of a line like `Nonce: 12345678`. */
export function labelled(line: string): readonly [label: string, value: string] | undefined {
  const label = LABELS.find((own) => line.startsWith(`${own}: `));
  return label === undefined ? undefined : [label, line.slice(label.length + 2)];
}

/**
 * Holds a sign-in to the page's host, to the wallet that would sign and to the clock.
 *
 * @throws KeywardError of the code `domain` or `sign-in`.
 */
export function checkClaims(claims: SignInClaims, expected: { readonly host: string; readonly address: string; readonly nowMs: number }): void {
  const host = expected.host.toLowerCase();
  if (claims.domain.toLowerCase() !== host) {
    throw new KeywardError("domain", "the sign-in is for another site than this one; do not sign it");
  }
  const authority = authorityOf(claims.fields.get("URI"));
  if (authority !== undefined && authority.toLowerCase() !== host) {
    throw new KeywardError("domain", "the sign-in's URI is on another site than this one; do not sign it");
  }
  if (claims.address !== expected.address) {
    throw new KeywardError("sign-in", "the sign-in names another address than the one that would sign; choose the account that it names");
  }
  checkTimes(claims.fields, expected.nowMs);
}

function checkTimes(fields: ReadonlyMap<string, string>, nowMs: number): void {
  const issued = timeOf(fields, "Issued At");
  const expires = timeOf(fields, "Expiration Time");
  const begins = timeOf(fields, "Not Before");
  if (expires !== undefined && nowMs >= expires) {
    throw new KeywardError("sign-in", "the sign-in has expired; ask the site for a new one");
  }
  if (begins !== undefined && nowMs < begins) {
    throw new KeywardError("sign-in", "the sign-in does not hold yet; wait, or check this computer's clock");
  }
  if (issued !== undefined && Math.abs(nowMs - issued) > TOLERANCE_MS) {
    throw new KeywardError("sign-in", "the sign-in was not issued within ten minutes of now; ask for a new one, or check the clock");
  }
}

/** Milliseconds since 1970, in UTC. */
function timeOf(fields: ReadonlyMap<string, string>, label: string): number | undefined {
  const text = fields.get(label);
  if (text === undefined) {
    return undefined;
  }
  const [, seconds = "", fraction = "", zone = ""] = TIME.exec(text) ?? [];
  const time = Date.parse(`${seconds}.${fraction.padEnd(3, "0").slice(0, 3)}${zone}`);
  if (Number.isNaN(time)) {
    throw new KeywardError("sign-in", `the sign-in's ${label} is no time like 2026-01-31T12:00:00Z; correct it`);
  }
  return time;
}

/** Host and port of a web address; `undefined` for any other URI, which names no site. */
function authorityOf(uri: string | undefined): string | undefined {
  return uri === undefined ? undefined : /^https?:\/\/([^/?#]*)/i.exec(uri)?.[1];
}
