import { init, openVault } from "keyward";

import { show, sign, vaultFile } from "./sign.js";

show(async () => {
  await init();
  return sign(openVault, await vaultFile(document.baseURI));
});
