/** A new phrase: shown once to be written down, then a few of its words asked for. */
import { wipeDraft, type App } from "../app";
import { h } from "../dom";
import { form, textField } from "../fields";
import { explain, ProblemError } from "../problems";
import { same, take, wipe, wordsOf } from "../secrets";

const WORDS_ASKED = 3;

export function phraseView(app: App): readonly Node[] {
  const words = h("ol", { class: "words", "aria-label": "Your phrase" });
  const error = h("p", { class: "error", role: "alert" });
  const written = h(
    "button",
    { type: "button", class: "primary", disabled: true, on: { click: () => app.go(toCheck(app)) } },
    "I wrote it down",
  );
  const make = async (count: number): Promise<void> => {
    written.disabled = true;
    try {
      const secret = await app.session.ask((client) => client.generateMnemonic(count));
      if (app.screen.at !== "phrase") {
        wipe(secret);
        return;
      }
      wipeDraft(app.draft);
      app.draft = { kind: "phrase", secret, fresh: true };
      showWords(words, secret);
      written.disabled = false;
    } catch (thrown) {
      const { cause, remedy } = explain(thrown);
      error.replaceChildren(h("strong", {}, cause), " ", remedy);
    }
  };
  if (app.draft?.kind === "phrase") {
    showWords(words, app.draft.secret);
    written.disabled = false;
  } else {
    void make(24);
  }
  const length = (count: number): HTMLElement => {
    const radio = h("input", {
      type: "radio",
      name: "phrase-length",
      autocomplete: "off",
      on: { change: () => void make(count) },
    });
    radio.checked = count === (app.draft?.kind === "phrase" ? wordCount(app.draft.secret) : 24);
    return h("label", { class: "check" }, radio, h("span", {}, `${count} words`));
  };
  return [
    h(
      "p",
      { class: "lede" },
      "Write these words on paper, in this order. Whoever has them has everything in the vault; nobody can give them back to you.",
    ),
    h("fieldset", { class: "inline" }, h("legend", {}, "Length"), length(12), length(24)),
    words,
    h("p", { class: "hint" }, "No photograph, no screenshot, no copy in a file. They are shown this once."),
    error,
    h(
      "div",
      { class: "actions" },
      written,
      h("button", { type: "button", on: { click: () => app.go({ at: "start" }) } }, "Cancel"),
    ),
  ];
}

function wordCount(phrase: Uint8Array): number {
  return 1 + phrase.reduce((spaces, byte) => spaces + (byte === 0x20 ? 1 : 0), 0);
}

function showWords(list: HTMLElement, phrase: Uint8Array): void {
  const decoder = new TextDecoder();
  const words = wordsOf(phrase);
  list.replaceChildren(...words.map((word) => h("li", {}, decoder.decode(word))));
  wipe(...words);
}

function toCheck(app: App): { at: "check"; places: readonly number[] } {
  const count = app.draft?.kind === "phrase" ? wordCount(app.draft.secret) : 0;
  const places = new Set<number>();
  const random = new Uint32Array(1);
  while (places.size < Math.min(WORDS_ASKED, count)) {
    crypto.getRandomValues(random);
    places.add((random[0] ?? 0) % count);
  }
  return { at: "check", places: [...places].sort((left, right) => left - right) };
}

export function checkView(app: App, places: readonly number[]): readonly Node[] {
  const fields = places.map((place) => ({
    place,
    field: textField({ label: `Word ${place + 1}`, secret: true, maxlength: 16 }),
  }));
  return [
    h("p", { class: "lede" }, "Look at your paper and type these words."),
    form({
      label: "Check of the phrase",
      submit: "Continue",
      busy: "Checking…",
      fields: {},
      body: fields.map(({ field }) => field.row),
      beside: [h("button", { type: "button", on: { click: () => app.go({ at: "phrase" }) } }, "Show the words again")],
      act: async () => {
        const { draft } = app;
        if (draft?.kind !== "phrase") {
          throw new ProblemError("no-draft", undefined, "The phrase was wiped meanwhile.", "Go back and begin again.");
        }
        const words = wordsOf(draft.secret);
        const wrong = fields.filter(({ place, field }) => {
          field.clear();
          return !equalWord(field.input, words[place]);
        });
        wipe(...words);
        wrong.forEach(({ place, field }) =>
          field.fail({
            code: "word",
            cause: `This is not word ${place + 1}.`,
            remedy: "Look at your paper, or show the words again.",
          }),
        );
        wrong[0]?.field.input.focus();
        if (wrong.length === 0) {
          app.go({ at: "protect" });
        }
      },
    }),
  ];
}

function equalWord(input: HTMLInputElement, word: Uint8Array | undefined): boolean {
  input.value = input.value.trim().toLowerCase();
  const typed = take(input);
  const equal = word !== undefined && same(typed, word);
  wipe(typed);
  return equal;
}
