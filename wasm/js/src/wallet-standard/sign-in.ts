import type { MessageReview } from "../review.js";
import { labelled, type SignInClaims } from "../sign-in.js";
import type { SignInInput } from "./options.js";

const INTRODUCTION = " wants you to sign in with your Solana account:";

/** The text of a sign-in, in the order of its fields (EIP-4361, as Solana's wallets have it). */
export function signInText(input: SignInInput & { readonly domain: string; readonly address: string }): string {
  let text = `${input.domain}${INTRODUCTION}\n${input.address}`;
  if (input.statement !== undefined) {
    text += `\n\n${input.statement}`;
  }
  const lines = (
    [
      ["URI", input.uri],
      ["Version", input.version],
      ["Chain ID", input.chainId],
      ["Nonce", input.nonce],
      ["Issued At", input.issuedAt],
      ["Expiration Time", input.expirationTime],
      ["Not Before", input.notBefore],
      ["Request ID", input.requestId],
    ] as const
  ).flatMap(([label, value]) => (value === undefined ? [] : [`${label}: ${value}`]));
  if (input.resources !== undefined) {
    lines.push("Resources:", ...input.resources.map((resource) => `- ${resource}`));
  }
  return lines.length === 0 ? text : `${text}\n\n${lines.join("\n")}`;
}

/** What a sign-in claims. The core read it, so every line is where it belongs and no statement looks like a field. */
export function claimsOf(review: MessageReview & { readonly kind: "sign-in" }): SignInClaims {
  const [, address = "", ...rest] = review.text.split("\n");
  const fields = rest.map(labelled).filter((field) => field !== undefined);
  return { domain: review.domain, address, fields: new Map(fields) };
}
