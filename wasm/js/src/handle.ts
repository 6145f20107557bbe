import { call, isPoisoned } from "./engine.js";
import { KeywardError } from "./errors.js";

interface Freeable {
  free(): void;
}

/** Holds an object of the lower half until it is freed. */
export class Handle<Raw extends Freeable> {
  #raw: Raw | undefined;
  readonly #what: string;

  constructor(raw: Raw, what: string) {
    this.#raw = raw;
    this.#what = what;
  }

  use<T>(work: (raw: Raw) => T): T {
    const raw = this.#raw;
    if (raw === undefined) {
      throw new KeywardError("freed", `the ${this.#what} was freed; open it again`);
    }
    return call(() => work(raw));
  }

  /** Wipes it at once. Twice does no harm, nor after a fault, which wiped everything. */
  free(): void {
    const raw = this.#raw;
    this.#raw = undefined;
    if (raw !== undefined && !isPoisoned()) {
      call(() => raw.free());
    }
  }
}

/** `Symbol.dispose` where the platform has it, for `using`. */
export function disposable(prototype: { free(): void }): void {
  if (typeof Symbol.dispose === "symbol") {
    Object.defineProperty(prototype, Symbol.dispose, {
      configurable: true,
      writable: true,
      value(this: { free(): void }): void {
        this.free();
      },
    });
  }
}
