/** The two fields in which a new password is chosen. */
import { h } from "./dom";
import { secretField, type Field } from "./fields";
import { ProblemError } from "./problems";
import { same, take, wipe } from "./secrets";

/** As the package and the console ask for. */
export const MIN_CHARACTERS = 12;

export interface NewPassword {
  readonly password: Field;
  readonly again: Field;
  readonly rows: readonly HTMLElement[];
  /** The password, once both fields say the same and enough; the caller wipes it. */
  read(): Uint8Array;
}

export function newPassword(label: string): NewPassword {
  const password = secretField({
    label,
    fresh: true,
    hint: `At least ${MIN_CHARACTERS} characters. Four or five random words do well.`,
  });
  const again = secretField({ label: `${label}, once more`, fresh: true });
  const meter = h("meter", { min: 0, max: MIN_CHARACTERS, value: 0, "aria-label": "Length of the password" });
  const count = h("span", { class: "count" });
  const length = h("p", { class: "length", hidden: true }, meter, count);
  password.row.querySelector(".entry")?.after(length);
  password.input.addEventListener("input", () => {
    const characters = [...password.input.value].length;
    length.hidden = characters === 0;
    meter.value = Math.min(characters, MIN_CHARACTERS);
    count.textContent = characters < MIN_CHARACTERS ? `${MIN_CHARACTERS - characters} more` : "Long enough. Is it hard to guess?";
  });
  return {
    password,
    again,
    rows: [password.row, again.row],
    read: () => {
      const short = [...password.input.value].length < MIN_CHARACTERS;
      const first = take(password.input);
      const second = take(again.input);
      length.hidden = true;
      const equal = same(first, second);
      wipe(second);
      if (short || !equal) {
        wipe(first);
        throw short
          ? new ProblemError(
              "password-too-short",
              "password",
              `The password has fewer than ${MIN_CHARACTERS} characters.`,
              "Choose a longer one; four or five random words do well.",
            )
          : new ProblemError("password-differs", "again", "The two entries differ.", "Type the password again, in both fields.");
      }
      return first;
    },
  };
}
