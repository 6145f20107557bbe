/** What the core read, as what the person is asked: sentences, dangers, then everything else. */
import type {
  EvmMessageReview,
  EvmTransactionReview,
  MessageReview,
  ReviewAction,
  ReviewField,
  TransactionReview,
  TypedDataReview,
  Verdict,
} from "keyward";
import type { Question } from "./approval";
import { h, type Child } from "./dom";
import { address, capital, decimal, drawn, extent, lines, sentence } from "./sentences";

export type SolanaReview = TransactionReview | MessageReview;
export type EvmReview = EvmTransactionReview | EvmMessageReview | TypedDataReview;

/** Whose request it is, for whom, and where. */
export interface Asked {
  readonly from: string;
  readonly address: string;
  readonly chain: string | undefined;
}

type Row = readonly [label: string, value: string | Node];

const SIGNS_TEXT = "Signs this text with your key. Whoever has the signature can show that you agreed to it.";
/** More characters of a memo's sentence are not shown. */
const MEMO_SHOWN = 200;

export function solanaQuestion(review: SolanaReview, asked: Asked): Question {
  switch (review.kind) {
    case "transaction":
      return transaction(review, asked);
    case "sign-in":
      return question(review, asked, "Sign in?", "Sign in", {
        sentences: review.sentences.map(quoted),
        rows: [["Site", review.domain]],
        text: review.text,
      });
    case "text":
      return question(review, asked, "Sign a message?", "Sign message", {
        sentences: [SIGNS_TEXT],
        text: review.text,
      });
    case "off-chain-message":
      return question(review, asked, "Sign a message?", "Sign message", {
        sentences: [SIGNS_TEXT],
        rows: [["Signers", list(review.signers)]],
        text: review.text,
      });
    case "binary":
      return question(review, asked, "Sign bytes?", "Sign bytes", {
        sentences: ["Signs bytes that are no text."],
        dangers: ["Nobody can read what this means. Sign it only if you know where it comes from."],
        text: review.hex,
      });
    case "refused":
      return question(review, asked, "Message refused", "", {
        sentences: ["This cannot be shown as a message, so it is not signed as one."],
      });
  }
}

export function evmQuestion(review: EvmReview, asked: Asked): Question {
  switch (review.kind) {
    case "evm-transaction":
      return question(review, asked, "Sign a transaction?", "Sign transaction", {
        ...weighed(review.sentences),
        rows: [
          ["Chain", review.chainId],
          ["To", review.to === null ? "a new contract" : address(review.to)],
          ["Value", `${decimal(review.valueWei, 18)} (in the chain’s coin)`],
          ["Highest fee", `${decimal(review.maxFeeWei, 18)} (in the chain’s coin)`],
          ["Nonce", review.nonce],
        ],
      });
    case "typed-data":
      return question(review, asked, "Sign typed data?", "Sign typed data", {
        // The core puts the risks before everything else; they stand in their own box.
        sentences: review.sentences.filter((text) => !review.risks.some((risk) => text === `DANGER: ${risk}`)),
        dangers: review.risks,
        rows: [
          ["Type", review.primaryType],
          ["Chain", review.chainId],
        ],
      });
    case "text":
      return question(review, asked, "Sign a message?", "Sign message", {
        sentences: [SIGNS_TEXT],
        text: review.text,
      });
    case "refused":
      return question(review, asked, "Message refused", "", {
        sentences: ["This cannot be shown as a message, so it is not signed as one."],
      });
  }
}

interface Content {
  readonly sentences: readonly string[];
  readonly dangers?: readonly string[];
  readonly rows?: readonly Row[];
  readonly text?: string;
  readonly more?: readonly Node[];
}

function question(review: { readonly verdict: Verdict }, asked: Asked, title: string, allow: string, content: Content): Question {
  const { verdict } = review;
  const refused = !verdict.allowed;
  const rows: Row[] = [
    ["Account", address(asked.address)],
    ...(asked.chain === undefined ? [] : [["Network", asked.chain] as const]),
    ...(content.rows ?? []),
    ["Decided by", (refused ? REFUSED_BY : AUTHORITY)[verdict.authority]],
  ];
  return {
    title: refused ? title.replace(/\?$/, ": refused") : title,
    from: asked.from,
    sentences: content.sentences,
    dangers: (content.dangers ?? []).map(capital),
    refusals: refused ? verdict.refusals.map((refusal) => capital(refusal.message)) : [],
    allow,
    body: content.text === undefined ? [] : [text(content.text)],
    details: h(
      "details",
      { open: true },
      h("summary", {}, "Details"),
      table(rows),
      ...(refused ? [asAsked(content)] : []),
      ...(content.more ?? []),
    ),
  };
}

function text(said: string): Node {
  return h(
    "div",
    {},
    h("pre", { class: "text", role: "region", "aria-label": "Text" }, ...lines(said)),
    h("p", { class: "hint" }, `${extent(said)}.`),
  );
}

/** What was asked for and is not done. */
function asAsked(content: Content): Node {
  return h(
    "div",
    {},
    h("h3", {}, "What was asked for"),
    h("ul", { class: "asked" }, ...[...(content.dangers ?? []), ...content.sentences].map((each) => h("li", {}, ...sentence(capital(each))))),
  );
}

/** Sentences of an EVM transaction, apart from those that tell a danger: the core marks them, or could not read what is done. */
function weighed(sentences: readonly string[]): { readonly sentences: readonly string[]; readonly dangers: readonly string[] } {
  const grave = (said: string): boolean => /^DANGER: | which are not decoded$|^Create a contract /.test(said);
  return {
    sentences: sentences.filter((said) => !grave(said)),
    dangers: sentences.filter(grave).map((said) => {
      const plain = said.replace(/^DANGER: /, "");
      return plain === said ? `${said}: nobody here can read what that does` : plain;
    }),
  };
}

/** What a site says of itself, as its words and not the wallet's. */
function quoted(said: string): string {
  return said.replace(/^It says: (.*)$/s, "It says: “$1”");
}

const isMemo = (said: string): boolean => /^Write (the memo "|a memo of )/.test(said);

/** What moves money before what only says something, which is cut short. */
function inOrder(sentences: readonly string[]): readonly string[] {
  const short = (said: string): string => (said.length > MEMO_SHOWN ? `${said.slice(0, MEMO_SHOWN)}…, whole text under Details` : said);
  return [...sentences.filter((said) => !isMemo(said)), ...sentences.filter(isMemo).map(short)];
}

const AUTHORITY: Readonly<Record<Verdict["authority"], string>> = {
  vault: "the policy in your vault, then you",
  page: "you: the vault has no policy of its own",
  unsound: "nobody: the vault’s policy cannot be read",
};

const REFUSED_BY: typeof AUTHORITY = {
  vault: "the policy in your vault",
  page: "Keyward’s own rules",
  unsound: "Keyward’s own rules",
};

function transaction(review: TransactionReview, asked: Asked): Question {
  const others = review.signers.filter((signer) => signer !== asked.address);
  const nonce = review.durableNonce;
  return question(review, asked, "Sign a transaction?", "Sign transaction", {
    sentences: inOrder(review.sentences),
    dangers: review.actions.flatMap(dangersOf),
    rows: [
      ["Fee payer", address(review.feePayer)],
      [
        "Highest priority fee",
        review.maxPriorityFeeLamports === "0" ? "none" : `${decimal(review.maxPriorityFeeLamports, 9)} SOL`,
      ],
      ...(others.length === 0 ? [] : [["Other signers", list(others)] as const]),
      ...(nonce === null ? [] : [["Durable nonce", nonce.account ?? "unknown account"] as const]),
      ["SHA-256 of the message", h("code", {}, review.messageSha256)],
    ],
    more: [
      h("h3", {}, `Instructions (${review.actions.length})`),
      h("ol", { class: "instructions" }, ...review.actions.map(instruction)),
    ],
  });
}

function dangersOf(action: ReviewAction): readonly string[] {
  if (action.type === "decoded") {
    return action.dangers;
  }
  return action.type === "unknown"
    ? [`It calls ${action.programName ?? action.program}, and nobody here can read what that does.`]
    : [];
}

function instruction(action: ReviewAction): HTMLElement {
  switch (action.type) {
    case "sol-transfer":
      return item("Transfer of SOL", [
        ["From", address(action.from)],
        ["To", address(action.to)],
        ["Amount", `${decimal(action.lamports, 9)} SOL`],
      ]);
    case "token-transfer":
      return item("Transfer of tokens", [
        ["From", address(action.source)],
        ["To", address(action.destination)],
        ["Mint", action.mint === null ? "not named" : address(action.mint)],
        ["Amount", action.decimals === null ? `${action.amount} units` : decimal(action.amount, action.decimals)],
        ["Authority", address(action.authority)],
      ]);
    case "memo":
      return item("Memo", [["Text", action.text ?? `${action.length} bytes that are no text`]]);
    case "compute-budget":
      return item("Compute budget", [["Setting", action.setting]]);
    case "decoded":
      return item(`${action.programName}: ${action.instruction}`, [
        ["Program", address(action.program)],
        ...action.fields.map(fieldRow),
      ]);
    case "unknown":
      return item(action.programName ?? "Unknown program", [
        ["Program", address(action.program)],
        ["Why unknown", action.reason],
        ["Accounts", list(action.accounts)],
        [
          "Data",
          h(
            "code",
            {},
            `${action.dataLength} bytes: ${action.dataStart}${action.dataLength * 2 > action.dataStart.length ? "…" : ""}`,
          ),
        ],
      ]);
  }
}

function fieldRow(field: ReviewField): Row {
  const { value } = field;
  if (value === null) {
    return [field.label, "none"];
  }
  if (typeof value !== "string") {
    return [field.label, list(value)];
  }
  if (field.kind === "number" && /^\d+$/.test(value)) {
    return [field.label, decimal(value, 0)];
  }
  if (field.kind === "lamports") {
    return [field.label, `${decimal(value, 9)} SOL`];
  }
  return [field.label, field.kind === "account" || field.kind === "address" ? address(value) : value];
}

function item(title: string, rows: readonly Row[]): HTMLElement {
  return h("li", {}, h("strong", {}, title), table(rows));
}

function table(rows: readonly Row[]): HTMLElement {
  const shown = (value: string | Node): readonly Child[] => (typeof value === "string" ? lines(value) : [value]);
  return h("dl", {}, ...rows.flatMap(([label, value]) => [h("dt", {}, ...drawn(capital(label))), h("dd", {}, ...shown(value))]));
}

function list(values: readonly string[]): Node {
  return h("ul", { class: "plain" }, ...values.map((value) => h("li", {}, address(value))));
}
