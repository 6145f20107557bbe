import { init, openVault } from "keyward";

import { sign, vaultFile } from "./sign.js";

self.addEventListener("message", async ({ data }) => {
  try {
    await init();
    self.postMessage(await sign(openVault, await vaultFile(data)));
  } catch (error) {
    self.postMessage({ error: String(error), cause: String(error.cause) });
  }
});
