import { KeywardError } from "../../errors.js";
import { errorOffWire, pack, unpack, type Call, type Reply, type TestEvent } from "../wire.js";

/** The line to the test's process. */
export class Link {
  readonly #binding: string;
  readonly #listeners: ((event: TestEvent) => void)[] = [];
  #seen = -1;
  #listening = false;

  constructor(binding: string) {
    this.#binding = binding;
  }

  onEvent(listener: (event: TestEvent) => void): void {
    this.#listeners.push(listener);
  }

  async ask(call: Call): Promise<unknown> {
    const { outcome } = await this.#exchange(call);
    if (!this.#listening) {
      this.#listening = true;
      void this.#listen();
    }
    if ("error" in outcome) {
      throw errorOffWire(outcome.error);
    }
    return outcome.value;
  }

  async #exchange(call: Call): Promise<Reply> {
    const bound = (globalThis as unknown as Record<string, ((text: string) => Promise<string>) | undefined>)[this.#binding];
    if (bound === undefined) {
      throw new KeywardError("terminated", "the test that installed this wallet is not there any more");
    }
    const reply = unpack(await bound(pack({ host: location.host, seen: this.#seen, call }))) as Reply;
    if (this.#seen < 0 && reply.before !== null) {
      this.#tell([reply.before]);
      this.#seen = reply.first;
    }
    // Two answers may overlap: what one told is not told again.
    const events = reply.events.slice(Math.max(0, this.#seen - reply.first));
    this.#seen = Math.max(this.#seen, reply.first + reply.events.length);
    this.#tell(events);
    return reply;
  }

  #tell(events: readonly TestEvent[]): void {
    events.forEach((event) => this.#listeners.forEach((listener) => listener(event)));
  }

  /** Waits for events for as long as the document and the wallet live. */
  async #listen(): Promise<void> {
    try {
      while (!(await this.#exchange({ kind: "events" })).over);
    } catch {
      // The test has ended, and with it whatever could happen here.
    }
  }
}
