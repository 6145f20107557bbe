/**
 * Fields and the groups that they stand in. There is no `<form>` and no `name`: nothing is submitted, and browsers are
 * given no reason to remember anything.
 */
import { h, uniqueId, type Child } from "./dom";
import { explain, type FieldName, type Problem } from "./problems";
import { SECRET, TAKEN } from "./secrets";

export interface Field<T extends HTMLElement = HTMLInputElement> {
  readonly row: HTMLElement;
  readonly input: T;
  fail(problem: Problem): void;
  clear(): void;
}

interface FieldText {
  readonly label: string;
  readonly hint?: string;
}

/** What keeps browsers from storing, correcting and sending away what is typed. */
const UNREMEMBERED = { autocomplete: "off", autocapitalize: "none", autocorrect: "off", spellcheck: "false" } as const;

/** One line that is masked. */
export function secretField(text: FieldText & { readonly fresh?: boolean }): Field {
  const input = h("input", {
    ...UNREMEMBERED,
    type: "password",
    autocomplete: text.fresh === true ? "new-password" : "off",
    [SECRET]: true,
  });
  return wrap(
    text,
    input,
    unmask(input, (shown) => input.setAttribute("type", shown ? "text" : "password")),
  );
}

/** Several lines that are masked, for phrases and keys. */
export function secretArea(text: FieldText): Field<HTMLTextAreaElement> {
  const input = h("textarea", { ...UNREMEMBERED, rows: 4, class: "masked", [SECRET]: true });
  return wrap(
    text,
    input,
    unmask(input, (shown) => input.classList.toggle("masked", !shown)),
  );
}

/** One line in the clear; `secret` if it is emptied with the others. */
export function textField(text: FieldText & { readonly secret?: boolean; readonly maxlength?: number }): Field {
  const input = h("input", { ...UNREMEMBERED, type: "text", maxlength: text.maxlength, [SECRET]: text.secret === true });
  return wrap(text, input);
}

export function selectField(
  text: FieldText,
  options: readonly (readonly [value: string, label: string])[],
): Field<HTMLSelectElement> {
  const input = h("select", { autocomplete: "off" }, ...options.map(([value, label]) => h("option", { value }, label)));
  return wrap(text, input);
}

export function checkbox(
  label: string,
  checked: boolean,
  changed?: (checked: boolean) => void,
): { row: HTMLElement; input: HTMLInputElement } {
  const input = h("input", { type: "checkbox", autocomplete: "off", on: { change: () => changed?.(input.checked) } });
  input.checked = checked;
  return { row: h("label", { class: "check" }, input, h("span", {}, label)), input };
}

function wrap<T extends HTMLElement>(text: FieldText, input: T, beside?: HTMLElement): Field<T> {
  const id = uniqueId("field");
  const hint = text.hint === undefined ? null : h("p", { class: "hint", id: `${id}-hint` }, text.hint);
  const error = h("p", { class: "error", id: `${id}-error`, role: "alert" });
  const described = [hint?.id, error.id].filter((each) => each !== undefined).join(" ");
  input.id = id;
  input.setAttribute("aria-describedby", described);
  beside?.setAttribute("aria-controls", id);
  beside?.setAttribute("aria-label", `Show ${text.label.toLowerCase()}`);
  return {
    row: h(
      "div",
      { class: "field" },
      h("label", { for: id }, text.label),
      h("div", { class: "entry" }, input, beside),
      hint,
      error,
    ),
    input,
    fail: (problem) => {
      input.setAttribute("aria-invalid", "true");
      error.replaceChildren(h("strong", {}, problem.cause), " ", problem.remedy);
    },
    clear: () => {
      input.removeAttribute("aria-invalid");
      error.replaceChildren();
    },
  };
}

function unmask(input: HTMLElement, show: (shown: boolean) => void): HTMLButtonElement {
  const button = h("button", { type: "button", class: "quiet reveal", "aria-pressed": "false" }, "Show");
  const set = (shown: boolean): void => {
    button.setAttribute("aria-pressed", String(shown));
    button.textContent = shown ? "Hide" : "Show";
    show(shown);
  };
  button.addEventListener("click", () => set(button.getAttribute("aria-pressed") !== "true"));
  input.addEventListener(TAKEN, () => set(false));
  return button;
}

export interface FormOptions {
  readonly label: string;
  readonly submit: string;
  /** What the button says while it works. */
  readonly busy: string;
  readonly fields: Partial<Record<FieldName, Field<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>>>;
  readonly body: readonly Child[];
  readonly beside?: readonly Child[];
  /** Does it; what it throws is shown at its field. */
  readonly act: () => Promise<void>;
  readonly quiet?: boolean;
}

/** A group of fields with one button that does something; Enter in a line does it as well. */
export function form(options: FormOptions): HTMLElement {
  const error = h("p", { class: "error", role: "alert" });
  const button = h("button", { type: "button", class: options.quiet === true ? "" : "primary" }, options.submit);
  const group = h(
    "div",
    { role: "group", "aria-label": options.label, class: "form" },
    ...options.body,
    error,
    h("div", { class: "actions" }, button, ...(options.beside ?? [])),
  );
  const submit = async (): Promise<void> => {
    if (button.disabled) {
      return;
    }
    clear(options, error);
    button.disabled = true;
    button.textContent = options.busy;
    group.setAttribute("aria-busy", "true");
    try {
      await options.act();
    } catch (thrown) {
      show(options, error, explain(thrown));
    } finally {
      button.disabled = false;
      button.textContent = options.submit;
      group.removeAttribute("aria-busy");
    }
  };
  button.addEventListener("click", () => void submit());
  group.addEventListener("keydown", (event) => {
    if (
      event.key === "Enter" &&
      !event.repeat &&
      !event.isComposing &&
      event.target instanceof HTMLInputElement &&
      event.target.type !== "checkbox"
    ) {
      event.preventDefault();
      void submit();
    }
  });
  return group;
}

function clear(options: FormOptions, error: HTMLElement): void {
  error.replaceChildren();
  Object.values(options.fields).forEach((field) => field.clear());
}

function show(options: FormOptions, error: HTMLElement, problem: Problem): void {
  const field = problem.field === undefined ? undefined : options.fields[problem.field];
  if (field === undefined) {
    error.replaceChildren(h("strong", {}, problem.cause), " ", problem.remedy);
    error.scrollIntoView({ block: "nearest" });
    return;
  }
  field.fail(problem);
  field.input.closest("details")?.setAttribute("open", "");
  field.input.focus();
}
