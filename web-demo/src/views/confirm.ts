/** Asks before something of the page's own that cannot be undone. Staying safe is the default. */
import { h, uniqueId } from "../dom";

export interface Confirm {
  readonly title: string;
  readonly text: string;
  /** What has to be ticked before it can be confirmed. */
  readonly acknowledge: string;
  readonly confirm: string;
  readonly cancel: string;
}

export function confirmed(question: Confirm): Promise<boolean> {
  return new Promise((resolve) => {
    let sure = false;
    const heading = uniqueId("confirm");
    const confirm = h(
      "button",
      {
        type: "button",
        class: "danger",
        disabled: true,
        on: {
          click: () => {
            sure = true;
            dialog.close();
          },
        },
      },
      question.confirm,
    );
    const tick = h("input", { type: "checkbox", autocomplete: "off", on: { change: () => (confirm.disabled = !tick.checked) } });
    const cancel = h("button", { type: "button", on: { click: () => dialog.close() } }, question.cancel);
    const dialog = h(
      "dialog",
      {
        "aria-labelledby": heading,
        on: {
          close: () => {
            dialog.remove();
            resolve(sure);
          },
        },
      },
      h("header", {}, h("h2", { id: heading }, question.title)),
      h(
        "div",
        { class: "scroll" },
        h("p", {}, question.text),
        h("label", { class: "check" }, tick, h("span", {}, question.acknowledge)),
      ),
      h("footer", {}, h("div", { class: "actions" }, cancel, confirm)),
    );
    document.body.append(dialog);
    dialog.showModal();
    cancel.focus();
  });
}
