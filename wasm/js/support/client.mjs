// A client and a served scope in one thread, joined by a channel, with a clock that only tests move.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { connect } from "../dist/client.js";
import { KeywardError } from "../dist/errors.js";
import { serve } from "../dist/worker.js";

export const fixture = (name) => new Uint8Array(readFileSync(new URL(`../../tests/fixtures/${name}`, import.meta.url)));
export const expected = JSON.parse(new TextDecoder().decode(fixture("native.json")));
export const mail = JSON.parse(new TextDecoder().decode(fixture("mail.json")));
export const utf8 = (text) => new TextEncoder().encode(text);
export const unhex = (digits) => new Uint8Array(Buffer.from(digits.replace(/^0x/, ""), "hex"));
export const hex = (bytes) => Buffer.from(bytes).toString("hex");
export const password = () => utf8(expected.password);
/** The least key stretching, so that the tests do not take minutes. */
export const KDF = "scrypt-16384";
/** How long a test waits for what must happen: the machine may be busy. */
export const PATIENCE_MS = 60_000;

/** Whether an error is one of this package with this code. */
export const code = (wanted) => (error) => {
  assert.ok(error instanceof KeywardError, String(error?.stack ?? error));
  assert.equal(error.code, wanted, error.message);
  return true;
};

/** The promise, or a failure that says what was waited for. */
export async function within(promise, what) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain: ${what}`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Time for an idle watch. `sleep` is a computer asleep: the wall clock goes on, timers and the steady clock stand still. */
export class Clock {
  #wall = Date.UTC(2026, 10, 21);
  #steady = 0;
  #timers = new Set();
  wall = () => this.#wall;
  steady = () => this.#steady;
  after = (ms, work) => {
    assert.ok(Number.isFinite(ms) && ms >= 0 && ms < 2 ** 31, `a timer of ${ms} ms`);
    const timer = { at: this.#steady + ms, work };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  get timers() {
    return this.#timers.size;
  }

  /** Somebody sets the clock, or the computer slept. */
  sleep(ms) {
    this.#wall += ms;
  }

  advance(ms) {
    const until = this.#steady + ms;
    for (;;) {
      const [due] = [...this.#timers].filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at);
      if (due === undefined) {
        break;
      }
      this.#timers.delete(due);
      this.#pass(Math.max(0, due.at - this.#steady));
      due.work();
    }
    this.#pass(until - this.#steady);
  }

  #pass(ms) {
    this.#steady += ms;
    this.#wall += ms;
  }
}

/**
 * A client joined to a served scope. `end` ends it; `said` collects what the worker says, as it crosses.
 */
export async function joined({ clock, ...options } = {}) {
  const { port1, port2 } = new MessageChannel();
  const said = [];
  record(port1, said);
  serve({ scope: port2, ...(clock === undefined ? {} : { clock }) });
  const close = () => {
    port1.close();
    port2.close();
  };
  try {
    const client = await within(connect(port1, options), "connect");
    const end = async () => {
      await client.terminate();
      close();
    };
    return { client, page: port1, scope: port2, said, end };
  } catch (error) {
    close();
    throw error;
  }
}

/** Keeps what arrives at a port, as it was when it arrived. */
function record(port, into) {
  port.addEventListener("message", ({ data }) => into.push(structuredClone(data)));
}
