/** Reading options that others may have put words into. */

/**
 * An option that the caller gave itself. What scripts of the page have put on `Object.prototype` is not given: a host
 * or an endpoint of theirs must not be taken for the wallet's.
 */
export function own<Options extends object, Name extends keyof Options>(options: Options, name: Name): Options[Name] | undefined {
  return Object.hasOwn(options, name) ? options[name] : undefined;
}
