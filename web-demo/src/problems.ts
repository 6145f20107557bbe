/** Turns what went wrong into a cause and a remedy, and says which field it belongs to. */

export type FieldName =
  "password" | "again" | "current" | "second" | "recovery" | "key" | "keyPassword" | "chain" | "word" | "file";

export interface Problem {
  /** The field that it is shown at; without one it stands at the form's end. */
  readonly field?: FieldName;
  readonly cause: string;
  readonly remedy: string;
  readonly code: string;
}

/** Something that this page itself found wrong. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly problem: Problem;

  constructor(code: string, field: FieldName | undefined, cause: string, remedy: string) {
    super(cause);
    this.problem = field === undefined ? { code, cause, remedy } : { code, field, cause, remedy };
  }
}

type Known = readonly [field: FieldName | undefined, cause: string, remedy: string];

/** What people can do about it, where this page can say it better than the package. */
const KNOWN: Readonly<Record<string, Known>> = {
  "password-too-short": [
    "password",
    "The password has fewer than 12 characters.",
    "Choose a longer one; four or five random words do well.",
  ],
  "refused-to-open": [
    "password",
    "It did not open: the password is wrong, or the file is damaged. For your safety these two look the same.",
    "Type the password again. If it still fails, try another copy of the file.",
  ],
  "second-factor-missing": [
    "second",
    "This vault needs its second factor as well.",
    "Enter it below the password: 32 bytes as base64 or hex.",
  ],
  "second-factor": ["second", "That is not a second factor.", "Enter 32 bytes, written as base64 or as 64 hexadecimal digits."],
  "recovery-key": ["recovery", "That is not a recovery key.", "Enter it exactly as you wrote it down."],
  "wallet-password-missing": ["password", "This wallet has a password of its own.", "Enter the wallet’s password."],
  "not-a-vault-file": [
    "file",
    "This is not a Keyward vault.",
    "Choose a file that ends in .keyward, made by the console or by this page.",
  ],
  "unsupported-version": [
    "file",
    "A newer Keyward wrote this file.",
    "Update this page, or open the file in the console that made it.",
  ],
  "vault-file": ["file", "The vault file is damaged.", "Try another copy of it; nothing was changed."],
  "key-ambiguous": [
    "chain",
    "These bytes could be a key of Solana or of an EVM chain.",
    "Choose the chain under “More options”.",
  ],
  "key-password-missing": ["keyPassword", "This key file is encrypted.", "Enter its password under “More options”."],
  "key-password": [
    "keyPassword",
    "The key file did not open: its password is wrong, or it is damaged.",
    "Type its password again.",
  ],
  "key-file": [
    "key",
    "This is no phrase and no key in a form that Keyward reads.",
    "Paste it whole, or choose its format under “More options”.",
  ],
  "other-chain": ["chain", "The key belongs to the other chain.", "Choose the other one, or let it be detected."],
  "wallet-exists": ["key", "The vault has this key already.", "There is nothing to import."],
  "too-long": [undefined, "That is more than Keyward takes.", "Choose a smaller file or text."],
  "phrase-word-count": ["key", "A phrase has 12, 15, 18, 21 or 24 words.", "Check that none is missing or twice there."],
  "phrase-checksum": [
    "key",
    "All words are known, but they do not belong together.",
    "Check their order, and look for a word that was mistaken.",
  ],
  locked: [undefined, "The vault is locked.", "Unlock it, then try again."],
  freed: [undefined, "The key was wiped from memory.", "Connect again to open it anew."],
  terminated: [undefined, "The vault was locked while this was under way.", "Unlock it, then try again."],
  worker: [undefined, "The worker that holds the keys stopped.", "Unlock the vault again; reload the page if that fails."],
  initialization: [undefined, "The signer could not be loaded.", "Check the connection and reload the page."],
};

/** The problem behind anything thrown. */
export function explain(error: unknown): Problem {
  if (error instanceof ProblemError) {
    return error.problem;
  }
  const { code, position } = (typeof error === "object" && error !== null ? error : {}) as { code?: unknown; position?: unknown };
  if (typeof code !== "string") {
    return { code: "page", cause: "Something unforeseen happened in this page.", remedy: "Reload it and try again." };
  }
  if (code === "phrase-unknown-word" && typeof position === "number") {
    const cause = `Word ${position} is not in the list of words.`;
    return { code, field: "key", cause, remedy: "Check how it is spelt." };
  }
  const known = KNOWN[code];
  if (known !== undefined) {
    const [field, cause, remedy] = known;
    return field === undefined ? { code, cause, remedy } : { code, field, cause, remedy };
  }
  const { cause, remedy } = sentences((error as Error).message);
  return code.startsWith("phrase") ? { code, field: "key", cause, remedy } : { code, cause, remedy };
}

/** The package's messages are "cause; remedy", in lower case. */
function sentences(message: string): { cause: string; remedy: string } {
  const [cause = "", ...rest] = message.split("; ");
  return { cause: sentence(cause), remedy: rest.length === 0 ? "" : sentence(rest.join("; ")) };
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
