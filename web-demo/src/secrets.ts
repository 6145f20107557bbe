/**
 * Secrets between a field and the worker: bytes as soon as they leave the field, wiped as soon as they were used.
 *
 * What a browser makes of the text in a field is out of a page's reach; this only keeps it there no longer than needed.
 */

type SecretField = HTMLInputElement | HTMLTextAreaElement;

/** Marks the fields that {@link emptySecretFields} empties. */
export const SECRET = "data-secret";

/** What a field is told when it was emptied by {@link emptySecretFields}, for what else belongs to it. */
export const WIPED = "keyward:wiped";

/** What a field is told when its text was taken or wiped: what is typed into it next is masked again. */
export const TAKEN = "keyward:taken";

/** The field's text as UTF-8; the field is empty afterwards. */
export function take(field: SecretField): Uint8Array {
  const taken = new TextEncoder().encode(field.value);
  field.value = "";
  field.dispatchEvent(new Event(TAKEN));
  return taken;
}

/** The field's text as UTF-8, where its person may still have to correct it. */
export function peek(field: SecretField): Uint8Array {
  return new TextEncoder().encode(field.value);
}

/** As {@link take}; nothing for an empty field. */
export function takeOptional(field: SecretField): Uint8Array | undefined {
  return field.value === "" ? undefined : take(field);
}

export function wipe(...secrets: readonly (Uint8Array | undefined)[]): void {
  secrets.forEach((secret) => secret?.fill(0));
}

/** Whether two secrets are equal. */
export function same(left: Uint8Array, right: Uint8Array): boolean {
  let difference = left.length ^ right.length;
  left.forEach((byte, at) => {
    difference |= byte ^ (right[at] ?? 0);
  });
  return difference === 0;
}

/** Runs `work` with secrets and wipes them, whatever comes of it. */
export async function using<T>(secrets: readonly (Uint8Array | undefined)[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    wipe(...secrets);
  }
}

/** Empties every field that a secret is typed into, wherever it is. */
export function emptySecretFields(root: ParentNode = document): void {
  for (const field of root.querySelectorAll<SecretField>(`[${SECRET}]`)) {
    field.value = "";
    field.dispatchEvent(new Event(WIPED));
    field.dispatchEvent(new Event(TAKEN));
  }
}

/** The words of a phrase, each as bytes of its own; wipe them as well. */
export function wordsOf(phrase: Uint8Array): readonly Uint8Array[] {
  const words: Uint8Array[] = [];
  let start = 0;
  for (let at = 0; at <= phrase.length; at += 1) {
    if (at === phrase.length || phrase[at] === 0x20) {
      words.push(phrase.slice(start, at));
      start = at + 1;
    }
  }
  return words;
}
