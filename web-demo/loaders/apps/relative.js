import { init, openVault } from "./node_modules/keyward/dist/index.js";

import { show, sign, vaultFile } from "./sign.js";

show(async () => {
  await init();
  return sign(openVault, await vaultFile(document.baseURI));
});
