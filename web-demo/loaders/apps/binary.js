import { initSync, openVault } from "keyward";
import module from "keyward/keyward.wasm";

import { show, sign, vaultFile } from "./sign.js";

show(async () => {
  initSync(module);
  return sign(openVault, await vaultFile(document.baseURI));
});
