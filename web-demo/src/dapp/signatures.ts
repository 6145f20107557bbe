/** Checks what the wallet gave back, as a dapp's own code would: by `@solana/kit`. */
import { getBase58Decoder, getPublicKeyFromAddress, isAddress, verifySignature, type SignatureBytes } from "@solana/kit";

export function base58(bytes: Uint8Array): string {
  return getBase58Decoder().decode(bytes);
}

/** What the check says, in words. */
export async function checked(address: string, signature: Uint8Array, message: Uint8Array): Promise<string> {
  if (!isAddress(address)) {
    return "the wallet gave no address";
  }
  try {
    const key = await getPublicKeyFromAddress(address);
    const own = Uint8Array.from(signature) as Uint8Array as SignatureBytes;
    return (await verifySignature(key, own, Uint8Array.from(message))) ? "the signature is valid" : "the signature is NOT valid";
  } catch {
    return "not checked: this browser has no Ed25519";
  }
}
