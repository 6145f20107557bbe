/** An address as a QR code, drawn as SVG. */
import type { Account } from "keyward";
import { encode } from "uqr";
import type { App } from "../app";
import { h, svg, uniqueId } from "../dom";
import { address } from "../sentences";
import { CHAIN_NAMES, copy } from "./accounts";

export function showQr(app: App, account: Account): void {
  const heading = uniqueId("qr");
  const close = h("button", { type: "button", class: "primary", on: { click: () => dialog.close() } }, "Close");
  const dialog = h(
    "dialog",
    { class: "qr", "aria-labelledby": heading, on: { close: () => dialog.remove() } },
    h("header", {}, h("h2", { id: heading }, `${CHAIN_NAMES[account.chain]} address`)),
    h("div", { class: "scroll" }, drawing(account.address), address(account.address)),
    h(
      "footer",
      {},
      h(
        "div",
        { class: "actions" },
        close,
        h("button", { type: "button", on: { click: () => void copy(app, account.address) } }, "Copy"),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
}

/** Dark modules on a light ground in both themes: cameras want it so. */
function drawing(text: string): SVGElement {
  const { data, size } = encode(text, { ecc: "M", border: 3 });
  let path = "";
  data.forEach((line, y) =>
    line.forEach((dark, x) => {
      path += dark ? `M${x} ${y}h1v1h-1z` : "";
    }),
  );
  return svg(
    "svg",
    {
      viewBox: `0 0 ${size} ${size}`,
      class: "code",
      role: "img",
      "aria-label": `QR code of ${text}`,
      "shape-rendering": "crispEdges",
    },
    svg("path", { d: `M0 0h${size}v${size}H0z`, class: "ground" }),
    svg("path", { d: path, class: "modules" }),
  );
}
