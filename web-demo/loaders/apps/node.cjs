const { readFileSync } = require("node:fs");

const { init, openVault } = require("keyward");

const { sign } = require("./sign.js");

init()
  .then(() => sign(openVault, new Uint8Array(readFileSync("native.keyward"))))
  .then((signed) => console.log(JSON.stringify(signed)));
