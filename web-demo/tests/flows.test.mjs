// Everything that a person does with a vault in the built page, under its policy, mistakes included.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import * as keyward from "keyward";

import { launch } from "./support/browser.mjs";
import { CSP } from "./support/csp.mjs";
import { expected, fixture } from "./support/package.mjs";
import { inContext, screenshot, startSite, visit } from "./support/site.mjs";
import {
  PASSWORD, PHRASE, addresses, alert, button, card, chooseFile, createVault, field, fillWords, heading, importPhrase, lock, openFile, part, press,
  protect, question, shownPhrase, unlock, wallet,
} from "./support/ui.mjs";

const utf8 = (text) => new TextEncoder().encode(text);
const vaultFile = () => readFileSync(fixture("native.keyward"));
const NEW_PASSWORD = "juniper ballast 77 ocarina thread";
let browser;
let site;

before(async () => {
  await keyward.init();
  [site, browser] = await Promise.all([startSite(), launch()]);
});

after(async () => {
  await browser?.close();
  await site?.close();
});

/** The first accounts of a phrase, by the package in this process. */
async function accountsOf(phrase, family, count) {
  const vault = await keyward.createVault(utf8(PASSWORD), { phrase: utf8(phrase), kdf: "scrypt-16384" });
  const found = vault.accounts({ family, count }).map((account) => account.address);
  vault.free();
  return found;
}

test("every answer of the server has the policy, and the page has no inline script or style", async () => {
  const context = await browser.newContext();
  const answers = [];
  context.on("response", (response) => answers.push(response));
  await inContext(context, site, async (page) => {
    await press(wallet(page), "Create a vault");
    await shownPhrase(page, 24);
    const html = await (await page.request.get(`${site.origin}/`)).text();
    assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=/i);
  });
  await context.close();
  const types = new Set(answers.map((answer) => answer.headers()["content-type"]?.split(";")[0]));
  for (const wanted of ["text/html", "text/javascript", "text/css", "application/wasm"]) {
    assert.ok(types.has(wanted), `${wanted} in ${[...types]}`);
  }
  for (const answer of answers) {
    assert.equal(answer.headers()["content-security-policy"], CSP, answer.url());
    assert.equal(answer.headers()["x-content-type-options"], "nosniff", answer.url());
  }
});

test("a vault is created: words written down and checked, a password chosen, accounts shown", async () => {
  await visit(browser, site, async (page) => {
    await screenshot(page, "start");
    await press(wallet(page), "Create a vault");
    await shownPhrase(page, 24);
    await wallet(page).getByRole("radio", { name: "12 words" }).check();
    await wallet(page).getByRole("list", { name: "Your phrase" }).getByRole("listitem").nth(12).waitFor({ state: "detached" });
    const phrase = await shownPhrase(page, 12);
    assert.deepEqual(keyward.validateMnemonic(utf8(phrase)), { valid: true, words: 12 });
    await screenshot(page, "phrase");
    await press(wallet(page), "I wrote it down");
    await heading(page, "Check what you wrote").waitFor();
    await fillWords(page, () => "zebra-not-a-word");
    await press(wallet(page), "Continue");
    await alert(wallet(page), /This is not word \d+\. Look at your paper/).first().waitFor();
    await fillWords(page, (place) => phrase.split(" ")[place - 1]);
    await press(wallet(page), "Continue");

    await heading(page, "Choose a password").waitFor();
    await field(wallet(page), "Password").fill("too short");
    await field(wallet(page), "Password, once more").fill("too short");
    await press(wallet(page), "Create the vault");
    await alert(wallet(page), "fewer than 12 characters").waitFor();
    await field(wallet(page), "Password").fill(PASSWORD);
    await field(wallet(page), "Password, once more").fill(`${PASSWORD}!`);
    await press(wallet(page), "Create the vault");
    await alert(wallet(page), "The two entries differ.").waitFor();
    assert.equal(await field(wallet(page), "Password").inputValue(), "", "what was refused does not stay");
    await protect(page);

    assert.deepEqual(await addresses(page, "Accounts of the phrase", 5), await accountsOf(phrase, "bip44-change", 5));
    await press(wallet(page), "Load more");
    assert.deepEqual(await addresses(page, "Accounts of the phrase", 10), await accountsOf(phrase, "bip44-change", 10));
    await wallet(page).getByRole("radio", { name: "EVM" }).check({ force: true });
    const [evm] = await accountsOf(phrase, "evm-bip44", 5);
    await wallet(page).getByRole("list", { name: "Accounts of the phrase" }).locator("code", { hasText: evm }).waitFor();
    await screenshot(page, "accounts");
    await wallet(page).getByRole("button", { name: /^QR code of 0x/ }).first().click();
    const dialog = question(page, "EVM address");
    await dialog.getByRole("img", { name: /^QR code of 0x[0-9a-fA-F]{40}$/ }).waitFor();
    await screenshot(page, "qr");
    await press(dialog, "Close");
    await dialog.waitFor({ state: "detached" });
  });
});

test("what is no phrase and no key is refused with the cause", async () => {
  const cases = [
    ["", "There is nothing to import yet."],
    ["abandon", "too short"],
    [PHRASE.replace("junk", "jnuk"), "Word 12 is not in the list of words."],
    [PHRASE.replace("junk", "test"), "they do not belong together"],
    [PHRASE.replace(" junk", ""), "A phrase has 12, 15, 18, 21 or 24 words."],
  ];
  await visit(browser, site, async (page) => {
    await press(wallet(page), "Import a phrase or key");
    for (const [given, cause] of cases) {
      await field(wallet(page), "Phrase or key").fill(given);
      await press(wallet(page), "Continue");
      await alert(wallet(page), cause).waitFor();
    }
    await screenshot(page, "import-refused");
  });
});

test("a phrase and keys are imported: as a new vault, and into one that is open", async () => {
  await visit(browser, site, async (page) => {
    await importPhrase(page);
    assert.deepEqual(await addresses(page, "Accounts of the phrase", 5), await accountsOf(PHRASE, "bip44-change", 5));
    const held = await addresses(page, "Wallets in the vault", 2);
    assert.ok(held.includes(expected.evm.address));

    await card(page, "Add a key");
    const group = wallet(page).getByRole("group", { name: "Add a key" });
    await field(group, "Phrase or key").fill("05".repeat(32));
    await press(group, "Add to the vault");
    await alert(group, "could be a key of Solana or of an EVM chain").waitFor();
    await field(group, "Chain").selectOption("solana");
    await field(group, "Label").fill("from elsewhere");
    await press(group, "Add to the vault");
    await heading(page, "Accounts").waitFor();
    const more = await addresses(page, "Wallets in the vault", 3);
    assert.equal(more.length, 3);
    await wallet(page).getByText("from elsewhere", { exact: true }).waitFor();

    await card(page, "Add a key");
    await field(group, "Phrase or key").fill("05".repeat(32));
    await group.locator("summary", { hasText: "More options" }).click();
    await field(group, "Chain").selectOption("solana");
    await press(group, "Add to the vault");
    await alert(group, "The vault has this key already.").waitFor();
  });
});

test("a key file that is encrypted needs its password", async () => {
  await visit(browser, site, async (page) => {
    await press(wallet(page), "Import a phrase or key");
    const buffer = Buffer.from(JSON.stringify(keystore));
    await field(wallet(page), "Choose a key file").setInputFiles({ name: "key.json", mimeType: "application/json", buffer });
    await wallet(page).getByText("File chosen: key.json").waitFor();
    await wallet(page).locator("summary", { hasText: "More options" }).click();
    await field(wallet(page), "Password of the key file").fill("testpassword");
    await press(wallet(page), "Continue");
    await protect(page);
    const [held] = await addresses(page, "Wallets in the vault", 1);
    assert.equal(held, "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b");
  });
});

/** The example of the Web3 Secret Storage Definition, by scrypt. */
const keystore = {
  crypto: {
    cipher: "aes-128-ctr",
    cipherparams: { iv: "83dbcc02d8ccb40e466191a123791e0e" },
    ciphertext: "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
    kdf: "scrypt",
    kdfparams: { dklen: 32, n: 262144, p: 8, r: 1, salt: "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19" },
    mac: "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
  },
  id: "3198bc9c-6672-5ab3-d995-4942343ae5b6",
  version: 3,
};

test("a file that is damaged, none, or opened with a wrong password says so", async () => {
  await visit(browser, site, async (page) => {
    await chooseFile(page, utf8("no vault at all"), "holiday.jpg");
    await alert(wallet(page), "This is not a Keyward vault.").waitFor();
    const damaged = vaultFile();
    damaged[damaged.length - 20] ^= 1;
    await chooseFile(page, damaged);
    await unlock(page, expected.password);
    await alert(wallet(page), /damaged/).waitFor();
    await screenshot(page, "damaged");
    await press(wallet(page), "Another vault");
    await chooseFile(page, vaultFile());
    await unlock(page, "not the password at all");
    await alert(wallet(page), "It did not open: the password is wrong, or the file is damaged.").waitFor();
    assert.equal(await field(wallet(page), "Password").inputValue(), "");
    await screenshot(page, "wrong-password");
    await unlock(page, expected.password);
    await heading(page, "Accounts").waitFor();
    const held = await addresses(page, "Wallets in the vault", 3);
    assert.deepEqual(held, [expected.solana.address, expected.evm.address, expected.imported]);
  });
});

test("a kept vault is there after a reload, locks, and opens again", async () => {
  await visit(browser, site, async (page) => {
    const phrase = await createVault(page, { words: 12 });
    await lock(page);
    await wallet(page).getByText("The vault is locked.").waitFor();
    await unlock(page);
    await heading(page, "Accounts").waitFor();
    await page.reload();
    await press(wallet(page), "Unlock My vault");
    await unlock(page, `${PASSWORD}.`);
    await alert(wallet(page), "It did not open").waitFor();
    await unlock(page);
    await heading(page, "Accounts").waitFor();
    assert.deepEqual(await addresses(page, "Accounts of the phrase", 5), await accountsOf(phrase, "bip44-change", 5));
    await card(page, "File");
    await press(wallet(page), "Forget the kept copy");
    const dialog = question(page, "Forget the vault kept here?");
    assert.equal(await button(dialog, "Forget it").isDisabled(), true);
    await press(dialog, "Keep it");
    await press(wallet(page), "Forget the kept copy");
    await dialog.getByRole("checkbox").check();
    await press(dialog, "Forget it");
    await heading(page, "Your vault").waitFor();
    await page.reload();
    await button(wallet(page), "Create a vault").waitFor();
    assert.equal(await button(wallet(page), "Unlock My vault").count(), 0);
  });
});

test("the password is changed, the vault saved to a file, and the file opens with the new one alone", async () => {
  await visit(browser, site, async (page) => {
    await importPhrase(page);
    await card(page, "Change the password");
    const group = wallet(page).getByRole("group", { name: "Change the password" });
    const change = async (current) => {
      await field(group, "Current password").fill(current);
      await field(group, "New password").fill(NEW_PASSWORD);
      await field(group, "New password, once more").fill(NEW_PASSWORD);
      await press(group, "Change the password");
    };
    await change("not the current one");
    await alert(group, "The current password is wrong.").waitFor();
    await change(PASSWORD);
    await wallet(page).getByText("The password was changed.").waitFor();
    const saved = await saveFile(page);
    await assert.rejects(keyward.openVault(saved, utf8(PASSWORD)), { code: "refused-to-open" });
    const vault = await keyward.openVault(saved, utf8(NEW_PASSWORD));
    assert.ok(vault.wallets().some((own) => own.address === expected.evm.address));
    vault.free();
    await lock(page);
    await unlock(page, PASSWORD);
    await alert(wallet(page), "It did not open").waitFor();
    await unlock(page, NEW_PASSWORD);
    await heading(page, "Accounts").waitFor();
  });
});

/** Saves the open vault and gives the file's bytes. */
async function saveFile(page) {
  await part(page, "Manage");
  await wallet(page).locator("summary", { hasText: "File" }).first().click();
  const [download] = await Promise.all([page.waitForEvent("download"), press(wallet(page), "Save to a file")]);
  assert.match(download.suggestedFilename(), /\.keyward$/);
  return new Uint8Array(readFileSync(await download.path()));
}

test("a vault that nobody uses locks itself", async () => {
  await visit(browser, site, async (page) => {
    await page.clock.install();
    await openFile(page, vaultFile(), expected.password);
    await wallet(page).getByRole("timer", { name: "Automatic lock" }).filter({ hasText: /^Locks in [45]:/ }).waitFor();
    await page.clock.fastForward(4 * 60_000);
    await wallet(page).getByRole("timer", { name: "Automatic lock" }).filter({ hasText: /^Locks in [01]:/ }).waitFor();
    await page.clock.fastForward(61_000);
    await heading(page, "Unlock your vault").waitFor();
  });
});
