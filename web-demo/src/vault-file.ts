/** Reads a vault's file and gives one back. */
import type { Client } from "keyward/client";
import { h } from "./dom";
import { ProblemError } from "./problems";
import type { SealedVault } from "./store";

/** As much as the package takes. */
const MAX_BYTES = 16 << 20;

/** A chosen file as a vault; says so if it is none. Nothing of it is authentic before it is opened. */
export async function vaultFile(client: Client, chosen: File): Promise<SealedVault> {
  const file = await fileBytes(chosen, MAX_BYTES);
  const { id } = await client.describeVault(file);
  return { id, name: nameOf(chosen.name), file };
}

/** A vault's name from its file's: nothing unseen, 60 characters at most. */
function nameOf(file: string): string {
  const name = file.replace(/\.keyward$/i, "").replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "");
  return [...name].slice(0, 60).join("").trim() || "Vault";
}

/** What a chosen file holds, if that is not more than `limit` bytes. */
export async function fileBytes(chosen: File, limit: number): Promise<Uint8Array> {
  if (chosen.size > limit) {
    throw new ProblemError("too-long", "file", "This file is larger than any that Keyward reads.", "Choose another one.");
  }
  try {
    return new Uint8Array(await chosen.arrayBuffer());
  } catch {
    throw new ProblemError(
      "unreadable",
      "file",
      "The browser could not read this file.",
      "Check that it is still there, and choose it again.",
    );
  }
}

/** Hands the encrypted file to the browser to be saved. */
export function download(sealed: SealedVault): void {
  const url = URL.createObjectURL(new Blob([sealed.file.slice()], { type: "application/octet-stream" }));
  const anchor = h("a", { href: url, download: `${sealed.name}.keyward` });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  // The download has begun by then; until the address is given back, the copy stays in memory.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
