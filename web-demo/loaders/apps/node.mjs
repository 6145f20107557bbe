import { readFileSync } from "node:fs";

import { init, openVault } from "keyward";

import { sign } from "./sign.js";

await init();
console.log(JSON.stringify(await sign(openVault, new Uint8Array(readFileSync("native.keyward")))));
