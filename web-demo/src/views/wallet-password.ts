/** Asks for the password that a wallet has of its own. */
import { h, uniqueId } from "../dom";
import { form, secretField } from "../fields";
import { ProblemError } from "../problems";
import { address } from "../sentences";
import { take, wipe } from "../secrets";

/** What `open` gives for the password that was typed; `undefined` if its person gave up. */
export function walletPassword<T>(of: string, open: (password: Uint8Array) => Promise<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    let result: T | undefined;
    const heading = uniqueId("wallet-password");
    const password = secretField({ label: "Wallet password" });
    const dialog = h(
      "dialog",
      {
        "aria-labelledby": heading,
        on: {
          close: () => {
            take(password.input).fill(0);
            dialog.remove();
            resolve(result);
          },
        },
      },
      h("header", {}, h("h2", { id: heading }, "This wallet has a password of its own")),
      h(
        "div",
        { class: "scroll" },
        address(of),
        form({
          label: "Wallet password",
          submit: "Open the wallet",
          busy: "Opening…",
          fields: { password },
          body: [password.row],
          beside: [h("button", { type: "button", on: { click: () => dialog.close() } }, "Cancel")],
          act: async () => {
            const given = take(password.input);
            try {
              const opened = await open(given);
              result = opened;
            } catch (thrown) {
              if ((thrown as { code?: unknown }).code === "refused-to-open") {
                throw new ProblemError("refused-to-open", "password", "The wallet’s password is wrong.", "Type it again.");
              }
              throw thrown;
            } finally {
              wipe(given);
            }
            dialog.close();
          },
        }),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
    password.input.focus();
  });
}
