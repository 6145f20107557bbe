/** The fields that a phrase or key is imported with: for a new vault, and for one that is open. */
import type { Chain, KeyFormat } from "keyward";
import { h } from "./dom";
import { dropTarget } from "./drop";
import { secretArea, secretField, selectField, type FormOptions } from "./fields";
import { ProblemError } from "./problems";
import { peek, take, takeOptional } from "./secrets";
import { fileBytes } from "./vault-file";

/** As much as the package takes. */
const MAX_KEY_BYTES = 65_536;

const FORMATS: readonly (readonly [KeyFormat | "", string])[] = [
  ["", "Detect it"],
  ["phrase", "Phrase (BIP-39)"],
  ["solana-keygen", "Solana CLI file: [12, 34, …]"],
  ["base58", "Base58 secret key"],
  ["hex", "Hexadecimal"],
  ["raw", "Raw bytes (file)"],
  ["keystore-v3", "Ethereum keystore (JSON)"],
  ["wallet", ".wallet file (JSON)"],
  ["encrypted-json", "Encrypted JSON (iv, salt, authTag)"],
];

const CHAINS: readonly (readonly [Chain | "", string])[] = [
  ["", "Detect it"],
  ["solana", "Solana"],
  ["evm", "EVM (Ethereum, BNB, Polygon…)"],
];

export interface KeyInput {
  readonly secret: Uint8Array;
  readonly password: Uint8Array | undefined;
  readonly format: KeyFormat | undefined;
  readonly chain: Chain | undefined;
}

export interface KeyFields {
  readonly body: readonly HTMLElement[];
  readonly fields: FormOptions["fields"];
  /** What was entered; the caller wipes it. The field keeps its text until {@link KeyFields.empty}. */
  read(): KeyInput;
  empty(): void;
}

export function keyFields(): KeyFields {
  let fromFile: Uint8Array | undefined;
  const key = secretArea({ label: "Phrase or key", hint: "Words, base58, hexadecimal, or the text of a key file." });
  const keyPassword = secretField({ label: "Password of the key file", hint: "Only if the file is encrypted." });
  const format = selectField({ label: "Format" }, FORMATS);
  const chain = selectField({ label: "Chain" }, CHAINS);
  const chosen = h("p", { class: "chosen", role: "status" });
  const choose = async (file: File | undefined): Promise<void> => {
    if (file === undefined) {
      return;
    }
    key.clear();
    fromFile?.fill(0);
    fromFile = undefined;
    try {
      fromFile = await fileBytes(file, MAX_KEY_BYTES);
      key.input.value = "";
      chosen.textContent = `File chosen: ${file.name}`;
    } catch (thrown) {
      chosen.textContent = thrown instanceof ProblemError ? `${thrown.problem.cause} ${thrown.problem.remedy}` : "";
    }
  };
  const picker = h("input", { type: "file", class: "visually-hidden", "aria-label": "Choose a key file", on: { change: () => {
    void choose(picker.files?.[0]);
    picker.value = "";
  } } });
  const empty = (): void => {
    fromFile?.fill(0);
    fromFile = undefined;
    chosen.textContent = "";
    take(key.input).fill(0);
    take(keyPassword.input).fill(0);
  };
  key.input.addEventListener("input", () => {
    fromFile?.fill(0);
    fromFile = undefined;
    chosen.textContent = "";
  });
  return {
    body: [
      key.row,
      h("label", { class: "drop small", on: dropTarget((file) => void choose(file)) }, picker, h("span", {}, "Or choose a key file")),
      chosen,
      h("details", {}, h("summary", {}, "More options"), format.row, chain.row, keyPassword.row),
    ],
    fields: { key, keyPassword, chain },
    read: () => {
      const secret = fromFile?.slice() ?? trimmed(key.input);
      if (secret.length === 0) {
        throw new ProblemError("nothing", "key", "There is nothing to import yet.", "Paste a phrase or key, or choose a file.");
      }
      return {
        secret,
        password: takeOptional(keyPassword.input),
        format: (format.input.value || undefined) as KeyFormat | undefined,
        chain: (chain.input.value || undefined) as Chain | undefined,
      };
    },
    empty,
  };
}

/** Without the blanks around it, which pasting brings along. */
function trimmed(input: HTMLTextAreaElement): Uint8Array {
  const whole = peek(input);
  let start = 0;
  let end = whole.length;
  while (start < end && isBlank(whole[start])) {
    start += 1;
  }
  while (end > start && isBlank(whole[end - 1])) {
    end -= 1;
  }
  const secret = whole.slice(start, end);
  whole.fill(0);
  return secret;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
