/** Where time comes from; tests bring their own. */
export interface Clock {
  /** Milliseconds since 1970, by the system's clock. */
  wall(): number;
  /** Milliseconds since some moment, never going back; it may stand still while the machine sleeps. */
  steady(): number;
  /** Calls back after so many milliseconds, at the earliest; gives how to call it off. */
  after(ms: number, callback: () => void): () => void;
}

/** How far a clock is set back by being corrected. */
const CORRECTION_MS = 5_000;

export const platformClock: Clock = {
  wall: () => Date.now(),
  steady: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * Says when something was not used for too long.
 *
 * A timer does not run while the machine sleeps, so the clocks are compared at each call as well: by whichever of them
 * more time has gone by.
 */
export class IdleWatch {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #onIdle: () => void;
  #wall: number;
  #steady: number;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, limitMs: number, onIdle: () => void) {
    this.#clock = clock;
    this.#limit = limitMs;
    this.#onIdle = onIdle;
    this.#wall = clock.wall();
    this.#steady = clock.steady();
    this.#arm(limitMs);
  }

  /** Looks whether its time is over, and says so if it is; gives whether it is not. Counts as no use. */
  check(): boolean {
    if (this.#isOver()) {
      this.#end();
      return false;
    }
    return true;
  }

  /** Notes a use, unless it comes too late: then it says so instead. */
  use(): void {
    if (!this.check()) {
      return;
    }
    this.#wall = this.#clock.wall();
    this.#steady = this.#clock.steady();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #gone(): number {
    return Math.max(this.#clock.wall() - this.#wall, this.#clock.steady() - this.#steady);
  }

  /** Also if the wall clock was set back: then nobody knows how long the machine slept. */
  #isOver(): boolean {
    return this.#gone() >= this.#limit || this.#clock.wall() < this.#wall - CORRECTION_MS;
  }

  #end(): void {
    this.stop();
    this.#onIdle();
  }

  /** One timer at a time: at its end it looks how long the last use is ago, and waits for the rest. */
  #arm(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => {
      if (this.#isOver()) {
        this.#end();
      } else {
        this.#arm(Math.max(1, this.#limit - this.#gone()));
      }
    });
  }
}
