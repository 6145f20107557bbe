// A vault goes from the console into the page and back, and both sign the same bytes alike.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { Console } from "../../wasm/js/support/console.mjs";
import { launch } from "./support/browser.mjs";
import { startSite, visit } from "./support/site.mjs";
import {
  PASSWORD, addresses, alert, allowed, card, chooseFile, connect, createVault, dapp, field, heading, openFile, press, question, unlock, wallet,
} from "./support/ui.mjs";

const KDF = "scrypt-16384";
const TEXT = "Signed on both sides, Grüße";
const MESSAGE = { ask: "Sign message", title: "Sign a message?", allow: "Sign message", shows: "Message signed" };
const consoles = [];
let browser;
let site;

before(async () => {
  [site, browser] = await Promise.all([startSite(), launch()]);
});

after(async () => {
  await browser?.close();
  await site?.close();
  consoles.forEach((own) => own.remove());
});

function newConsole(options) {
  const own = new Console(options);
  consoles.push(own);
  return own;
}

const listed = (own) => own.run(PASSWORD, "wallets", "list").wallets.map((wallet) => wallet.address);

async function saved(page) {
  await card(page, "File");
  const [download] = await Promise.all([page.waitForEvent("download"), press(wallet(page), "Save to a file")]);
  return readFileSync(await download.path());
}

test("a file of the console opens in the page, which signs as the console does", async () => {
  const own = newConsole();
  own.run(PASSWORD, "init", "--words", "12", "--phrase-out", own.path(), "--kdf", KDF);
  own.run(PASSWORD, "wallets", "derive", "--count", "2");
  own.run(PASSWORD, "wallets", "derive", "--chain", "evm", "--count", "1");
  const all = listed(own);
  await visit(browser, site, async (page) => {
    await openFile(page, own.export(PASSWORD));
    assert.deepEqual((await addresses(page, "Wallets in the vault", 4)).sort(), [...all].sort());
    await connect(page, "Solana");
    await dapp(page).getByLabel("Message", { exact: true }).fill(TEXT);
    const solana = own.run(PASSWORD, "sign-message", "#0", "--message", TEXT);
    assert.equal((await allowed(page, "Solana", MESSAGE)).Signature, solana.signature);
    await connect(page, "EVM");
    await dapp(page).getByLabel("Personal message", { exact: true }).fill(TEXT);
    const evm = own.run(PASSWORD, "sign-message", "evm-bip44#0", "--message", TEXT);
    assert.equal((await allowed(page, "EVM", { ...MESSAGE, ask: "Sign personal message" })).Signature, evm.signature);
    const again = newConsole();
    again.import(PASSWORD, await saved(page));
    assert.deepEqual(listed(again).sort(), all.sort());
  });
});

test("a file of the console that needs more than a password opens with what it needs", async () => {
  const second = randomBytes(32).toString("base64");
  const own = newConsole({ secondFactor: second });
  own.run(PASSWORD, "init", "--words", "12", "--phrase-out", own.path(), "--kdf", KDF);
  const walletPassword = "a password of the wallet's own";
  own.run(PASSWORD, "wallets", "password", "set", "#0", "--new-wallet-password-file", own.file(walletPassword));
  const { recovery_key: recovery } = own.run(PASSWORD, "vault", "recovery", "add", "--stdout");
  const file = own.export(PASSWORD);
  await visit(browser, site, async (page) => {
    await chooseFile(page, file);
    await field(wallet(page), "Second factor").waitFor();
    await unlock(page);
    await alert(wallet(page), "This vault needs its second factor as well.").waitFor();
    await field(wallet(page), "Second factor").fill(second);
    await unlock(page);
    await heading(page, "Accounts").waitFor();
    await press(wallet(page), "Lock");
    await press(wallet(page), "Use the recovery key instead");
    await field(wallet(page), "Recovery key").fill("not a recovery key");
    await press(wallet(page), "Unlock");
    await wallet(page).getByRole("alert").filter({ hasText: /\w/ }).waitFor();
    await field(wallet(page), "Recovery key").fill(recovery);
    await press(wallet(page), "Unlock");
    await heading(page, "Accounts").waitFor();

    await press(dapp(page), "Connect Solana");
    await press(question(page, "Connect Solana accounts?"), "Connect");
    const dialog = question(page, "This wallet has a password of its own");
    await field(dialog, "Wallet password").fill("not its password");
    await press(dialog, "Open the wallet");
    await alert(dialog, "The wallet’s password is wrong.").waitFor();
    await field(dialog, "Wallet password").fill(walletPassword);
    await press(dialog, "Open the wallet");
    await dapp(page).getByRole("status", { name: "Solana connection" }).filter({ hasText: "Connected:" }).waitFor();
    await dapp(page).getByLabel("Message", { exact: true }).fill(TEXT);
    const command = ["sign-message", "#0", "--message", TEXT, "--wallet-password-file", own.file(walletPassword)];
    assert.equal((await allowed(page, "Solana", MESSAGE)).Signature, own.run(PASSWORD, ...command).signature);
  });
});

test("a vault made in the page is imported by the console, which signs as the page does", async () => {
  await visit(browser, site, async (page) => {
    await createVault(page, { words: 24 });
    const held = await addresses(page, "Wallets in the vault", 2);
    const own = newConsole();
    own.import(PASSWORD, await saved(page));
    assert.deepEqual(listed(own).sort(), [...held].sort());
    await connect(page, "Solana");
    await dapp(page).getByLabel("Message", { exact: true }).fill(TEXT);
    const { signature } = own.run(PASSWORD, "sign-message", "#0", "--message", TEXT);
    assert.equal((await allowed(page, "Solana", MESSAGE)).Signature, signature);
  });
});
