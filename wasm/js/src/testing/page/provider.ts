import type { Link } from "./link.js";

type Listener = (value: unknown) => void;

/** A provider of EIP-1193 whose every request asks the test's process. */
export function pageProvider(link: Link): object {
  const listeners = new Map<string, Listener[]>();
  link.onEvent((event) => {
    if (event.target === "provider") {
      listeners.get(event.event)?.forEach((listener) => listener(event.value));
    }
  });
  const provider = {
    request: (request: unknown) => link.ask({ kind: "provider", request }),
    on: (event: string, listener: Listener) => {
      listeners.set(event, [...(listeners.get(event) ?? []), listener]);
      return provider;
    },
    removeListener: (event: string, listener: Listener) => {
      const before = listeners.get(event) ?? [];
      const at = before.lastIndexOf(listener);
      listeners.set(
        event,
        before.filter((_, other) => other !== at),
      );
      return provider;
    },
  };
  return Object.freeze(provider);
}
