/**
 * A sample dapp. It knows nothing of the wallet beside it: it finds wallets as every dapp does and sees what they show.
 * From the rest of this page it takes only the way to build elements.
 */
import { h } from "../dom";
import { evmSection } from "./evm";
import { solanaSection } from "./solana";

export function mountDapp(root: HTMLElement): void {
  root.replaceChildren(
    h(
      "div",
      { class: "address-bar", "aria-hidden": "true" },
      h("i", {}),
      h("i", {}),
      h("i", {}),
      h("span", {}, "sample dapp · same page"),
    ),
    h(
      "div",
      { class: "site" },
      h("h2", {}, "Tidepool"),
      h(
        "p",
        { class: "lede" },
        "A made-up site that knows nothing of your vault. It finds wallets by their standards and can only ask. Nothing is sent.",
      ),
      solanaSection(),
      evmSection(),
    ),
  );
}
