/**
 * The dialog in which its person allows or denies what a dapp asks for.
 *
 * Denying is the default everywhere: the focus starts there, Escape denies, whatever closes the dialog denies. Allowing
 * takes a press on its button after the dialog was in sight for a while, with no other above it, so that neither a stray
 * Enter nor a second click of a double click can reach it, and after all that is signed was scrolled through.
 */
import { append, h, uniqueId, type Child } from "./dom";
import { drawn, sentence } from "./sentences";

/** How long the dialog is in sight before it can be allowed, in milliseconds. */
const ARMING_MS = 700;
/** More than these are denied unseen: nobody reads them. */
const MAX_WAITING = 8;

export interface Question {
  readonly title: string;
  /** Whose request it is. */
  readonly from: string;
  /** What happens, in sentences. */
  readonly sentences: readonly string[];
  /** What may cost money or control; each has to be acknowledged. */
  readonly dangers: readonly string[];
  /** Why the policy refuses it; if there is anything here, it cannot be allowed. */
  readonly refusals: readonly string[];
  /** What has to be seen before it can be allowed. */
  readonly body: readonly Child[];
  /** What may be looked up. */
  readonly details?: Child;
  readonly allow: string;
}

export class Approvals {
  #waiting = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #open: HTMLDialogElement | undefined;
  /** Grows whenever everything is denied, so that what waits knows. */
  #epoch = 0;

  /** Asks, after what was asked before. */
  ask(question: Question): Promise<boolean> {
    if (this.#waiting >= MAX_WAITING) {
      return Promise.resolve(false);
    }
    this.#waiting += 1;
    const epoch = this.#epoch;
    const answer = this.#tail.then(() => (epoch === this.#epoch ? this.#show(question) : false));
    this.#tail = answer.finally(() => (this.#waiting -= 1)).catch(() => undefined);
    return answer;
  }

  /** Denies what is shown and what waits. */
  denyAll(): void {
    this.#epoch += 1;
    this.#open?.close();
  }

  #show(question: Question): Promise<boolean> {
    return new Promise((resolve) => {
      let allowed = false;
      const { dialog, stop } = build(question, () => {
        allowed = true;
        dialog.close();
      });
      this.#open = dialog;
      dialog.addEventListener("close", () => {
        stop();
        this.#open = undefined;
        dialog.remove();
        resolve(allowed);
      });
      document.body.append(dialog);
      dialog.showModal();
      dialog.querySelector<HTMLElement>("[data-default]")?.focus();
    });
  }
}

function build(question: Question, allow: () => void): { dialog: HTMLDialogElement; stop: () => void } {
  const refused = question.refusals.length > 0;
  const heading = uniqueId("question");
  const deny = h(
    "button",
    { type: "button", "data-default": true, on: { click: () => dialog.close() } },
    refused ? "Close" : "Deny",
  );
  const confirm = h("button", { type: "button", class: question.dangers.length > 0 ? "danger" : "primary" }, question.allow);
  const understood = h("input", { type: "checkbox", autocomplete: "off" });
  const note = h("p", { class: "hint arming", role: "status" });
  const end = h("div", { class: "end" });
  const scroller = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "What is asked" });
  append(scroller, [
    refused && refusals(question.refusals),
    !refused && question.dangers.length > 0 && dangers(question.dangers, understood),
    !refused &&
      question.sentences.length > 0 &&
      h(
        "ul",
        { class: "sentences", "aria-label": "What it does" },
        ...question.sentences.map((text) => h("li", {}, ...sentence(text))),
      ),
    ...question.body,
    end,
    question.details,
  ]);
  const dialog: HTMLDialogElement = h(
    "dialog",
    { class: "approval", "aria-labelledby": heading },
    h("header", {}, h("p", { class: "eyebrow" }, `Request from ${question.from}`), h("h2", { id: heading }, ...drawn(question.title))),
    scroller,
    h("footer", {}, refused ? null : note, h("div", { class: "actions" }, deny, refused ? null : confirm)),
  );
  const agreed = (): boolean => question.dangers.length === 0 || understood.checked;
  const arming = arm({ dialog, scroller, end, button: confirm, note, agreed });
  confirm.addEventListener("click", (event) => {
    if (event.isTrusted && arming.ready()) {
      allow();
    }
  });
  understood.addEventListener("change", arming.update);
  return { dialog, stop: arming.stop };
}

function refusals(reasons: readonly string[]): HTMLElement {
  return h(
    "div",
    { class: "notice refused" },
    h("h3", {}, "Refused"),
    h("p", {}, "This is not signed, whoever asks:"),
    h("ul", {}, ...reasons.map((reason) => h("li", {}, ...sentence(reason)))),
  );
}

function dangers(found: readonly string[], understood: HTMLInputElement): HTMLElement {
  return h(
    "div",
    { class: "notice dangerous" },
    h("h3", {}, "Danger"),
    h("ul", { "aria-label": "Dangers" }, ...found.map((danger) => h("li", {}, ...sentence(danger)))),
    h("label", { class: "check" }, understood, h("span", {}, "I understand what this can cost me")),
  );
}

interface Armed {
  readonly dialog: HTMLDialogElement;
  readonly scroller: HTMLElement;
  /** Stands after everything that has to be seen. */
  readonly end: HTMLElement;
  readonly button: HTMLButtonElement;
  readonly note: HTMLElement;
  agreed(): boolean;
}

/**
 * Lets a button be pressed only once its dialog was on top and in sight for a while, counted anew whenever the page comes
 * back or another dialog closes, and once the end of what is asked was seen.
 */
function arm({ dialog, scroller, end, button, note, agreed }: Armed): { ready(): boolean; update(): void; stop(): void } {
  let armed = false;
  let seen = false;
  let timer = 0;
  const ready = (): boolean => armed && seen && agreed() && isTopmost(dialog);
  const update = (): void => {
    button.disabled = !(armed && seen && agreed());
    if (!armed) {
      note.textContent = "";
    } else if (!seen) {
      note.textContent = "Scroll to the end to allow it.";
    } else {
      note.textContent = agreed() ? "" : "Tick the box above to allow it.";
    }
  };
  const restart = (): void => {
    armed = false;
    update();
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      armed = document.visibilityState === "visible" && isTopmost(dialog);
      update();
    }, ARMING_MS);
  };
  const watch = new IntersectionObserver(
    (entries) => {
      seen ||= entries.some((entry) => entry.isIntersecting);
      update();
    },
    { root: scroller },
  );
  watch.observe(end);
  restart();
  document.addEventListener("visibilitychange", restart);
  window.addEventListener("focus", restart);
  // It does not bubble.
  document.addEventListener("close", restart, { capture: true });
  return {
    ready,
    update,
    stop: () => {
      watch.disconnect();
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", restart);
      window.removeEventListener("focus", restart);
      document.removeEventListener("close", restart, { capture: true });
    },
  };
}

/** Every dialog is put at the body's end when it opens, so the last one is on top. */
function isTopmost(dialog: HTMLDialogElement): boolean {
  return [...document.querySelectorAll("dialog:modal")].at(-1) === dialog;
}
