/** One dialog at a time: nobody can judge two at once, and a dapp must not bury one under others. */
import { KeywardError } from "./errors.js";

/** The most requests that wait for their turn. */
const MAX_WAITING = 64;

/** Turns in which a person is asked, in the order in which they were wanted. */
export class Dialogs {
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Asks once all that came before has been answered.
   *
   * @throws KeywardError of the code `busy` if too many wait already.
   */
  async turn(ask: () => Promise<void>): Promise<void> {
    if (this.#waiting >= MAX_WAITING) {
      throw new KeywardError("busy", "too many requests wait for an answer; answer or cancel them first");
    }
    this.#waiting += 1;
    const answer = this.#last.then(ask);
    this.#last = answer.then(
      () => undefined,
      () => undefined,
    );
    try {
      await answer;
    } finally {
      this.#waiting -= 1;
    }
  }
}
