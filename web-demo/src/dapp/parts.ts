/** What both halves of the sample dapp are made of. */
import { h, uniqueId } from "../dom";

/** A place for results, read out by screen readers. */
export interface Result {
  readonly node: HTMLElement;
  show(title: string, rows: readonly (readonly [label: string, value: string])[], good: boolean): void;
  fail(error: unknown): void;
}

export function result(name: string): Result {
  const node = h("div", { class: "result", role: "status", "aria-label": name });
  return {
    node,
    show: (title, rows, good) => {
      node.className = `result ${good ? "good" : "plain"}`;
      node.replaceChildren(h("h4", {}, title), table(rows));
    },
    fail: (error) => {
      node.className = "result bad";
      node.replaceChildren(h("h4", {}, "The wallet said no"), table(whyNot(error)));
    },
  };
}

function table(rows: readonly (readonly [label: string, value: string])[]): HTMLElement {
  return h("dl", {}, ...rows.flatMap(([label, value]) => [h("dt", {}, label), h("dd", {}, h("code", {}, value))]));
}

/** What an error says: its own code (a number with EIP-1193), the wallet's code beside it, the message and the reasons. */
function whyNot(error: unknown): readonly (readonly [label: string, value: string])[] {
  const { code, message, reasons, data } = parts<{ code: unknown; message: unknown; reasons: unknown; data: unknown }>(error);
  const inner = parts<{ code: unknown; reasons: unknown }>(data);
  const given = Array.isArray(reasons) ? reasons : inner.reasons;
  const why = Array.isArray(given) ? (given as readonly { code?: unknown }[]).map((reason) => String(reason.code)) : [];
  return [
    ["Code", String(code ?? "none")],
    ...(inner.code === undefined ? [] : [["Wallet’s code", String(inner.code)] as const]),
    ["Message", String(message ?? error)],
    ...(why.length === 0 ? [] : [["Reasons", why.join(", ")] as const]),
  ];
}

/** The properties of anything that was thrown. */
function parts<T>(thrown: unknown): Partial<T> {
  return typeof thrown === "object" && thrown !== null ? thrown : {};
}

/** A button that does one thing at a time and shows what comes of it. */
export function asking(label: string, to: Result, ask: () => Promise<void>): HTMLButtonElement {
  let busy = false;
  const button = h("button", { type: "button", on: { click: () => void run() } }, label);
  const run = async (): Promise<void> => {
    if (busy) {
      return;
    }
    busy = true;
    button.setAttribute("aria-busy", "true");
    try {
      await ask();
    } catch (error) {
      to.fail(error);
    } finally {
      busy = false;
      button.removeAttribute("aria-busy");
    }
  };
  return button;
}

export function labelled<T extends HTMLElement>(label: string, input: T): HTMLElement {
  input.id = uniqueId("dapp");
  return h("div", { class: "field" }, h("label", { for: input.id }, label), input);
}

export function choice(options: readonly (readonly [value: string, label: string])[]): HTMLSelectElement {
  return h("select", { autocomplete: "off" }, ...options.map(([value, label]) => h("option", { value }, label)));
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function shortened(address: string): string {
  return `${address.slice(0, 6)}…${address.slice(-4)}`;
}
