/** The fields that a phrase or key is imported with: for a new vault, and for one that is open. */
import type { Chain, KeyFormat } from "keyward";
import { h } from "./dom";
import { dropTarget } from "./drop";
import { secretArea, secretField, selectField, type FormOptions } from "./fields";
import { explain, ProblemError } from "./problems";
import { peek, take, takeOptional, wipe, WIPED } from "./secrets";
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

/** The fields, and the file that was chosen instead of typing. */
export class KeyFields {
  readonly #key = secretArea({ label: "Phrase or key", hint: "Words, base58, hexadecimal, or the text of a key file." });
  readonly #password = secretField({ label: "Password of the key file", hint: "Only if the file is encrypted." });
  readonly #format = selectField({ label: "Format" }, FORMATS);
  readonly #chain = selectField({ label: "Chain" }, CHAINS);
  readonly #chosen = h("p", { class: "chosen", role: "status" });
  #file: Uint8Array | undefined;

  constructor() {
    this.#key.input.addEventListener("input", () => this.#dropFile());
    this.#key.input.addEventListener(WIPED, () => this.#dropFile());
  }

  get fields(): FormOptions["fields"] {
    return { key: this.#key, keyPassword: this.#password, chain: this.#chain };
  }

  body(): readonly HTMLElement[] {
    const picker = h("input", {
      type: "file",
      class: "visually-hidden",
      "aria-label": "Choose a key file",
      on: {
        change: () => {
          void this.#choose(picker.files?.[0]);
          picker.value = "";
        },
      },
    });
    const dropped = dropTarget((file) => void this.#choose(file));
    return [
      this.#key.row,
      h("label", { class: "drop small", on: dropped }, picker, h("span", {}, "Or choose a key file")),
      this.#chosen,
      h("details", {}, h("summary", {}, "More options"), this.#format.row, this.#chain.row, this.#password.row),
    ];
  }

  /** What was entered; the caller wipes it. The phrase or key stays where it is until {@link KeyFields.empty}. */
  read(): KeyInput {
    const secret = this.#file?.slice() ?? trimmed(this.#key.input);
    if (secret.length === 0) {
      throw new ProblemError("nothing", "key", "There is nothing to import yet.", "Paste a phrase or key, or choose a file.");
    }
    return {
      secret,
      password: takeOptional(this.#password.input),
      format: (this.#format.input.value || undefined) as KeyFormat | undefined,
      chain: (this.#chain.input.value || undefined) as Chain | undefined,
    };
  }

  empty(): void {
    this.#dropFile();
    wipe(take(this.#key.input), take(this.#password.input));
  }

  async #choose(file: File | undefined): Promise<void> {
    if (file === undefined) {
      return;
    }
    this.#key.clear();
    this.#dropFile();
    try {
      this.#file = await fileBytes(file, MAX_KEY_BYTES);
      wipe(take(this.#key.input));
      this.#chosen.textContent = `File chosen: ${file.name}`;
    } catch (thrown) {
      this.#key.fail({ ...explain(thrown), field: "key" });
    }
  }

  #dropFile(): void {
    wipe(this.#file);
    this.#file = undefined;
    this.#chosen.textContent = "";
  }
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
