import { connect } from "keyward/client";

import { show, sign, vaultFile } from "./sign.js";

globalThis.trustedTypes?.createPolicy("default", { createScriptURL: (url) => (new URL(url).origin === location.origin ? url : undefined) });
const worker = new Worker(new URL("./keys.js", import.meta.url), { type: "module" });

show(async () => {
  const keyward = await connect(worker);
  const signed = await sign((file, password) => keyward.openVault(file, password), await vaultFile(document.baseURI));
  keyward.terminate();
  return signed;
});
