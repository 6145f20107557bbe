/** Sign-ins with Ethereum (EIP-4361), read strictly: whatever claims to be one must be one. */
import { KeywardError } from "../errors.js";
import { LABELS, labelled, type SignInClaims } from "../sign-in.js";

const INTRODUCTION = /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^\s/?#@]+) wants you to sign in with your Ethereum account:$/i;
const REQUIRED = ["URI", "Version", "Chain ID", "Nonce", "Issued At"] as const;

/** The claims of a sign-in; `undefined` for a text that does not claim to be one. */
export function readSignIn(text: string): SignInClaims | undefined {
  const claimsToBe = text.split(/[\r\n]/).some((line) => /wants you to sign in with your ethereum account:\s*$/i.test(line));
  if (!claimsToBe) {
    return undefined;
  }
  const [introduction = "", address = "", ...rest] = text.split("\n");
  const domain = INTRODUCTION.exec(introduction)?.[2];
  if (domain === undefined || !/^0x[0-9a-fA-F]{40}$/.test(address)) {
    throw malformed("its first two lines are not those of EIP-4361");
  }
  return { domain, address, fields: fieldsOf(afterStatement(rest)) };
}

/** One empty line, a statement of at most one line, and one more: what follows are the fields. */
function afterStatement(lines: readonly string[]): readonly string[] {
  const start = lines.findIndex((line) => labelled(line) !== undefined);
  const before = lines.slice(0, start);
  const wellFormed = start > 0 && before.length <= 3 && before[0] === "" && before[before.length - 1] === "";
  if (!wellFormed) {
    throw malformed("the statement is not one line between two empty ones");
  }
  return lines.slice(start);
}

function fieldsOf(lines: readonly string[]): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  const resources = lines.indexOf("Resources:");
  const own = resources < 0 ? lines : lines.slice(0, resources);
  let last = -1;
  for (const line of own) {
    const [label, value = ""] = labelled(line) ?? [undefined];
    const at = LABELS.findIndex((known) => known === label);
    if (label === undefined || at <= last) {
      throw malformed("a line stands where none may");
    }
    last = at;
    fields.set(label, value);
  }
  if (resources >= 0 && !lines.slice(resources + 1).every((line) => /^- \S+$/.test(line))) {
    throw malformed("its resources are not lines of a dash and a URI");
  }
  const missing = REQUIRED.find((label) => !fields.has(label));
  if (missing !== undefined) {
    throw malformed(`it has no ${missing}`);
  }
  if (fields.get("Version") !== "1" || !/^[A-Za-z0-9]{8,}$/.test(fields.get("Nonce") ?? "")) {
    throw malformed("its version is not 1 or its nonce has not 8 letters and digits");
  }
  return fields;
}

function malformed(problem: string): KeywardError {
  return new KeywardError("sign-in", `the text claims to be a sign-in with Ethereum and is none: ${problem}; correct it`);
}
