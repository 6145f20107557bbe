/** `Symbol.asyncDispose` where the platform has it, for `await using`. */
export function asyncDisposable(prototype: { free(): Promise<void> }): void {
  if (typeof Symbol.asyncDispose === "symbol") {
    Object.defineProperty(prototype, Symbol.asyncDispose, {
      configurable: true,
      writable: true,
      value(this: { free(): Promise<void> }): Promise<void> {
        return this.free();
      },
    });
  }
}
