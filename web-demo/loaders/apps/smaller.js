import { init, openVault } from "keyward";
import signer from "keyward/signer.wasm?url";

import { show, vaultFile } from "./sign.js";

const utf8 = (text) => new TextEncoder().encode(text);

show(async () => {
  await init(signer);
  const vault = await openVault(await vaultFile(document.baseURI), utf8("correct horse battery staple"));
  const signature = vault.solana().signMessage(utf8("Keyward signs this alike in every place"));
  vault.free();
  return { solana: [...signature] };
});
