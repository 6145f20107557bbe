/** Which of the vault's accounts a dapp sees, and the way to take them back. */
import type { App } from "../app";
import { h } from "../dom";
import { address } from "../sentences";
import { CHAIN_NAMES } from "./accounts";

export function connectionsPart(app: App): readonly Node[] {
  const { list } = app.connections;
  if (list.length === 0) {
    return [
      h(
        "p",
        { class: "hint" },
        "No dapp is connected. Open the sample dapp and connect it; you choose here which accounts it sees.",
      ),
    ];
  }
  return [
    h("p", { class: "hint" }, "A connected dapp sees these addresses and may ask. Every signature needs your yes."),
    h(
      "ul",
      { class: "accounts", "aria-label": "Connected accounts" },
      ...list.map((connection) => {
        const short = `${connection.address.slice(0, 6)}…${connection.address.slice(-4)}`;
        return h(
          "li",
          { class: "account connection" },
          h(
            "div",
            { class: "about" },
            h("span", { class: `badge ${connection.chain}` }, CHAIN_NAMES[connection.chain]),
            h(
              "span",
              { class: "path" },
              connection.wiped ? "key wiped: the dapp’s next request fails" : "key ready in the worker",
            ),
          ),
          address(connection.address),
          h(
            "div",
            { class: "tools" },
            h(
              "button",
              {
                type: "button",
                class: "tool",
                "aria-label": `Disconnect ${short}`,
                on: { click: () => app.connections.disconnect(connection.chain) },
              },
              "Disconnect",
            ),
            h(
              "button",
              {
                type: "button",
                class: "tool",
                disabled: connection.wiped,
                "aria-label": `Wipe the key of ${short}`,
                on: { click: () => void app.connections.wipe(connection) },
              },
              "Wipe the key",
            ),
          ),
        );
      }),
    ),
  ];
}
