/** One call of JSON-RPC 2.0 over HTTP: bounded in time and size, without credentials, never repeated. */

/** The node took the call and answered with an error: what was asked for did not happen there. */
export class NodeError extends Error {
  override readonly name: string = "NodeError";
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/** No answer that could be read: whether the node did what was asked for is unknown. */
export class NoAnswerError extends Error {
  override readonly name: string = "NoAnswerError";
}

const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;
/** What a node says is shown to people: this many characters of it. */
const MAX_MESSAGE_CHARACTERS = 500;
let calls = 0;

/**
 * Asks the node at `endpoint` and gives its `result`.
 *
 * @throws {@link NodeError} or {@link NoAnswerError}.
 */
export async function callNode(endpoint: string, method: string, params: readonly unknown[] | object): Promise<unknown> {
  calls += 1;
  const id = calls;
  let answer: unknown;
  let status = 0;
  try {
    const response = await fetch(endpoint, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id, method, params }),
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    status = response.status;
    answer = JSON.parse(await boundedText(response));
  } catch (cause) {
    throw new NoAnswerError(status === 0 ? "the node could not be reached or was too slow" : `the node answered ${status} and no JSON`, { cause });
  }
  return resultOf(answer, id);
}

function resultOf(answer: unknown, id: number): unknown {
  if (typeof answer !== "object" || answer === null) {
    throw new NoAnswerError("the node's answer is not one of JSON-RPC");
  }
  const { id: named, result, error } = answer as { id?: unknown; result?: unknown; error?: unknown };
  if (typeof error === "object" && error !== null && (named === id || named === null || named === undefined)) {
    const { code, message, data } = error as { code?: unknown; message?: unknown; data?: unknown };
    const text = typeof message === "string" ? message.slice(0, MAX_MESSAGE_CHARACTERS) : "it gave no reason";
    throw new NodeError(Number.isSafeInteger(code) ? (code as number) : -32603, text, data);
  }
  if (named !== id || result === undefined) {
    throw new NoAnswerError("the node's answer does not belong to the call");
  }
  return result;
}

async function boundedText(response: Response): Promise<string> {
  if (response.body === null) {
    return "";
  }
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return text + decoder.decode();
    }
    length += value.length;
    if (length > MAX_ANSWER_BYTES) {
      await reader.cancel();
      throw new Error("the answer is longer than 32 MiB");
    }
    text += decoder.decode(value, { stream: true });
  }
}
