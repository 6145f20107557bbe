/** Why nothing is signed, as dapps are told it. */
import { KeywardError } from "../errors.js";
import type { TransactionReview, Verdict } from "../review.js";

/** What dapps and adapters know a rejection by: the number of EIP-1193. */
const REJECTED = 4001;

/** What the page's callback gives; whatever it throws means no, unless it says more than that. */
export async function asked<T>(callback: () => Promise<T>, saysMore: (error: unknown) => boolean = () => false): Promise<T> {
  try {
    return await callback();
  } catch (cause) {
    throw saysMore(cause) ? cause : rejection();
  }
}

/** Dapps and adapters know a rejection by this very text, or by the number of EIP-1193 in what caused it. */
export function rejection(): KeywardError {
  const reason = Object.freeze({ code: REJECTED, message: "User rejected the request." });
  return new KeywardError("rejected", reason.message, { cause: reason });
}

export function notConnected(): KeywardError {
  return new KeywardError("not-connected", "this account is not connected; connect the wallet first");
}

export function closed(): KeywardError {
  return new KeywardError("disconnected", "the wallet was removed from this page; reload it");
}

/** An error without its cause, which is the page's own and may hold addresses of nodes; of a rejection the number stays. */
export function towardsDapp(error: unknown): KeywardError {
  if (!(error instanceof KeywardError)) {
    return new KeywardError("internal", "the wallet stopped at a fault; reload the page");
  }
  const { code, message, reasons } = error;
  const number = (error.cause as { code?: unknown } | null | undefined)?.code;
  const cause = number === REJECTED ? { cause: Object.freeze({ code: REJECTED, message }) } : {};
  return new KeywardError(code, message, { reasons, ...cause });
}

export function refuseUnlessAllowed(verdict: Verdict): void {
  if (!verdict.allowed) {
    const reasons = verdict.refusals;
    const why = reasons.map((reason) => reason.message).join("; and ");
    throw new KeywardError("refused", `the policy refuses it: ${why}`, { reasons });
  }
}

/** What would be sent must lack no signature but the one that is about to be made. */
export function refuseUnlessComplete(review: TransactionReview, address: string): void {
  if (review.signatures.some((own) => own.address !== address && own.state !== "valid")) {
    throw new KeywardError("transaction", "others have to sign it before it can be sent; have them sign first, or sign without sending");
  }
}

export function afterOthers(error: unknown, sent: number, all: number): unknown {
  if (!(error instanceof KeywardError)) {
    return error;
  }
  return new KeywardError(error.code, `${sent} of ${all} transactions were sent, then: ${error.message}`, { reasons: error.reasons });
}
