/** Sends signed transactions and, if asked to, waits for the cluster. Sends once; sending again is the dapp's to do. */
import { KeywardError } from "../errors.js";
import { NodeError, callNode } from "../json-rpc.js";
import type { SendOptions } from "./inputs.js";
import type { SolanaCommitment } from "./options.js";

/** How long a transaction is waited for: longer than any blockhash lives. */
const WAIT_MS = 120_000;
const PAUSE_MS = 400;
const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Sends a transaction whose every signature is there; gives its signature, which is its name. */
export async function sendTransaction(endpoint: string, wire: Uint8Array, options: SendOptions): Promise<Uint8Array> {
  // Fewer than 128 signatures have one byte of count; the fee payer's is the first.
  const signature = wire.slice(1, 65);
  const name = base58(signature);
  let answered: unknown;
  try {
    answered = await callNode(endpoint, "sendTransaction", [base64(wire), options.node]);
  } catch (cause) {
    if (!(cause instanceof NodeError)) {
      throw unknown(name, "the node did not answer", cause);
    }
    if (!isKnownAlready(cause)) {
      throw new KeywardError("send", `the node refused the transaction and did not send it: ${cause.message}`, { cause });
    }
    answered = name;
  }
  if (answered !== name) {
    throw unknown(name, "the node answered with another transaction's signature", undefined);
  }
  if (options.commitment !== undefined) {
    await settled(endpoint, name, options.commitment);
  }
  return signature;
}

async function settled(endpoint: string, name: string, wanted: SolanaCommitment): Promise<void> {
  const sufficient = ["processed", "confirmed", "finalized"].slice(["processed", "confirmed", "finalized"].indexOf(wanted));
  const deadline = Date.now() + WAIT_MS;
  let cause: unknown;
  while (Date.now() < deadline) {
    try {
      const status = await statusOf(endpoint, name);
      if (status?.err !== undefined && status.err !== null) {
        throw new KeywardError("failed", `the cluster took the transaction and it failed: ${JSON.stringify(status.err).slice(0, 200)}`);
      }
      if (typeof status?.confirmationStatus === "string" && sufficient.includes(status.confirmationStatus)) {
        return;
      }
    } catch (error) {
      if (error instanceof KeywardError) {
        throw error;
      }
      cause = error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  throw unknown(name, `the cluster did not report it ${wanted} within two minutes`, cause);
}

async function statusOf(endpoint: string, name: string): Promise<{ err?: unknown; confirmationStatus?: unknown } | undefined> {
  const answer = (await callNode(endpoint, "getSignatureStatuses", [[name]])) as { value?: readonly unknown[] } | null;
  const status = answer?.value?.[0];
  return typeof status === "object" && status !== null ? status : undefined;
}

function unknown(name: string, why: string, cause: unknown): KeywardError {
  const text = `${why}; whether the transaction took place is unknown: look for ${name} before anything is sent again`;
  return new KeywardError("outcome-unknown", text, cause === undefined ? {} : { cause });
}

/** The node has the very transaction already, by this call or an earlier one. */
function isKnownAlready(error: NodeError): boolean {
  const { err } = (error.data ?? {}) as { err?: unknown };
  return err === "AlreadyProcessed" || /already been processed/i.test(error.message);
}

function base64(of: Uint8Array): string {
  let binary = "";
  for (const byte of of) {
    binary += String.fromCharCode(byte);
  }
  return btoa(binary);
}

function base58(of: Uint8Array): string {
  let number = 0n;
  for (const byte of of) {
    number = number * 256n + BigInt(byte);
  }
  let text = "";
  for (; number > 0n; number /= 58n) {
    text = (ALPHABET[Number(number % 58n)] ?? "") + text;
  }
  const zeros = of.findIndex((byte) => byte !== 0);
  return "1".repeat(zeros < 0 ? of.length : zeros) + text;
}
