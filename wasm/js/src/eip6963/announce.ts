/** EIP-6963: tells dapps of a provider, now and whenever one asks; gives what ends it. */
export function announce(info: { readonly uuid: string; readonly name: string; readonly icon: string; readonly rdns: string }, provider: object): () => void {
  const detail = Object.freeze({ info: Object.freeze({ ...info }), provider });
  const tell = (): void => {
    window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
  };
  window.addEventListener("eip6963:requestProvider", tell);
  tell();
  return () => window.removeEventListener("eip6963:requestProvider", tell);
}

/** A new UUID of version 4; `randomUUID` is missing where the page is not a secure context. */
export function newUuid(): string {
  if (typeof crypto.randomUUID === "function") {
    return crypto.randomUUID();
  }
  const random = crypto.getRandomValues(new Uint8Array(16));
  random[6] = ((random[6] ?? 0) & 0x0f) | 0x40;
  random[8] = ((random[8] ?? 0) & 0x3f) | 0x80;
  const digits = [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
