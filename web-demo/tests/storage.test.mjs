// What stays behind: the encrypted vault and nothing else, wherever a browser keeps things.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import * as keyward from "keyward";

import { found, formsOfText, secretsOfPhrase } from "../../wasm/js/support/secrets.mjs";
import { launch, launchWithProfile } from "./support/browser.mjs";
import { expected, fixture } from "./support/package.mjs";
import { inContext, startSite, visit } from "./support/site.mjs";
import {
  PASSWORD, allowed, card, chooseFile, connect, createVault, field, fillWords, heading, importPhrase, lock, openFile, press, shownPhrase, unlock, wallet,
} from "./support/ui.mjs";

const utf8 = (text) => new TextEncoder().encode(text);
const NEXT_PASSWORD = "juniper ballast 77 ocarina thread";
const WRONG_PASSWORD = "mistyped marmalade 31 password";
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

/** Everything in the page's storage, with bytes as lists of numbers. */
function stored(page) {
  return page.evaluate(async () => {
    const done = (request) => new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const plain = (value) => (value instanceof Uint8Array ? { bytes: [...value] } : value);
    const databases = {};
    for (const { name } of await indexedDB.databases()) {
      const database = await done(indexedDB.open(name));
      for (const store of database.objectStoreNames) {
        const rows = await done(database.transaction(store).objectStore(store).getAll());
        databases[`${name}/${store}`] = rows.map((row) => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, plain(value)])));
      }
      database.close();
    }
    const caches = "caches" in globalThis ? await globalThis.caches.keys() : [];
    const workers = "serviceWorker" in navigator ? (await navigator.serviceWorker.getRegistrations()).length : 0;
    const local = { ...localStorage };
    const session = { ...sessionStorage };
    return { databases, local, session, cookies: document.cookie, caches, workers, state: history.state, name: window.name };
  });
}

/** No row anywhere: the page may not have come to open its database yet. */
const isEmpty = (databases) => Object.values(databases).every((rows) => rows.length === 0);

test("IndexedDB holds the envelope, and no other place holds anything but the theme", async () => {
  await visit(browser, site, async (page) => {
    const nothing = { local: {}, session: {}, cookies: "", caches: [], workers: 0, state: null, name: "" };
    const { databases: first, ...elsewhere } = await stored(page);
    assert.deepEqual(elsewhere, nothing);
    assert.ok(isEmpty(first));
    const phrase = await createVault(page, { words: 12 });
    await page.getByRole("button", { name: /^Switch to the (dark|light) theme$/ }).click();
    const { databases, local, ...rest } = await stored(page);
    const { local: _, ...none } = nothing;
    assert.deepEqual(rest, none);
    assert.deepEqual(Object.keys(local), ["keyward-theme"]);
    assert.deepEqual(Object.keys(databases), ["keyward/vaults"]);
    const [row, ...others] = databases["keyward/vaults"];
    assert.deepEqual(others, []);
    assert.deepEqual(Object.keys(row).sort(), ["file", "id", "name"]);
    const file = Uint8Array.from(row.file.bytes);
    assert.equal(keyward.describeVault(file).id, row.id);
    const secrets = { ...secretsOfPhrase(phrase), ...formsOfText("password", PASSWORD) };
    assert.deepEqual(found(secrets, file), []);
    const vault = await keyward.openVault(file, utf8(PASSWORD));
    assert.ok(vault.accounts()[0].address.length > 30);
    vault.free();
  });
});

test("a vault that is not to be kept is not kept", async () => {
  await visit(browser, site, async (page) => {
    await openFile(page, readFileSync(fixture("native.keyward")), expected.password);
    assert.ok(isEmpty((await stored(page)).databases));
    await lock(page);
    assert.ok(isEmpty((await stored(page)).databases));
  });
});

/** The value of every field in the page, hidden ones included. */
const values = (page) => page.evaluate(() => [...document.querySelectorAll("input:not([type=checkbox],[type=radio]), textarea")].map((own) => own.value));

test("what was typed is gone after a reload, and after leaving and coming back", async () => {
  await visit(browser, site, async (page) => {
    const open = async () => {
      await chooseFile(page, readFileSync(fixture("native.keyward")));
      await heading(page, "Unlock your vault").waitFor();
      await field(wallet(page), "Password").fill(PASSWORD);
    };
    const empty = async () => {
      await heading(page, "Your vault").waitFor();
      assert.ok((await values(page)).every((value) => !value.includes("tapir")));
    };
    await open();
    assert.ok((await values(page)).includes(PASSWORD), "the canary: it stands in a field");
    await page.reload();
    await empty();
    await open();
    await page.goto("about:blank");
    await page.goBack();
    await empty();
    await press(wallet(page), "Import a phrase or key");
    await field(wallet(page), "Phrase or key").fill("tapir abandon abandon");
    await page.goto("about:blank");
    await page.goBack();
    await empty();
    await press(wallet(page), "Create a vault");
    const phrase = await shownPhrase(page, 24);
    await page.goto("about:blank");
    await page.goBack();
    await empty();
    assert.ok(!(await page.content()).includes(phrase.split(" ").slice(0, 3).join(" ")));
    // An open vault is not open any more.
    await openFile(page, readFileSync(fixture("native.keyward")), expected.password);
    await page.goto("about:blank");
    await page.goBack();
    await empty();
  });
});

test("fields for secrets are such as browsers do not keep, correct or send away", async () => {
  const look = (page) =>
    page.evaluate(() =>
      [...document.querySelectorAll("#wallet input:not([type=checkbox],[type=radio],[type=file]), #wallet textarea")].map((own) => ({
        label: own.labels[0]?.textContent ?? own.getAttribute("aria-label"),
        named: own.name !== "" || own.form !== null,
        remembered: !["off", "new-password"].includes(own.autocomplete),
        checked: own.spellcheck || own.getAttribute("autocapitalize") !== "none" || own.getAttribute("autocorrect") !== "off",
      })));
  await visit(browser, site, async (page) => {
    const seen = [];
    await press(wallet(page), "Create a vault");
    const phrase = await shownPhrase(page, 24);
    await press(wallet(page), "I wrote it down");
    await heading(page, "Check what you wrote").waitFor();
    seen.push(...(await look(page)));
    await fillWords(page, (place) => phrase.split(" ")[place - 1]);
    await press(wallet(page), "Continue");
    await heading(page, "Choose a password").waitFor();
    seen.push(...(await look(page)));
    await press(wallet(page), "Cancel");
    await importPhrase(page);
    await card(page, "Change the password");
    seen.push(...(await look(page)));
    await lock(page);
    seen.push(...(await look(page)));
    await press(wallet(page), "Use the recovery key instead");
    seen.push(...(await look(page)));
    await press(wallet(page), "Another vault");
    await press(wallet(page), "Import a phrase or key");
    seen.push(...(await look(page)));
    assert.ok(seen.length >= 15, `${seen.length} fields`);
    assert.deepEqual(seen.filter((own) => own.named || own.remembered || own.checked), []);
    assert.equal(await page.locator("form").count(), 0);
  });
});

/** Every file below a folder. */
function* files(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      yield* files(path);
    } else if (entry.isFile() && statSync(path).size < 64 << 20) {
      yield path;
    }
  }
}

test("the browser's whole profile on the disk holds no secret", async () => {
  const profile = mkdtempSync(join(tmpdir(), "keyward-profile-"));
  try {
    const context = await launchWithProfile(profile);
    let phrase;
    try {
      await inContext(context, site, async (page) => {
        phrase = await createVault(page, { words: 12 });
        await connect(page, "Solana");
        await allowed(page, "Solana", { ask: "Sign message", title: "Sign a message?", allow: "Sign message", shows: "Message signed" });
        await card(page, "Change the password");
        const group = wallet(page).getByRole("group", { name: "Change the password" });
        await field(group, "Current password").fill(PASSWORD);
        await field(group, "New password").fill(NEXT_PASSWORD);
        await field(group, "New password, once more").fill(NEXT_PASSWORD);
        await press(group, "Change the password");
        await wallet(page).getByText("The password was changed.").waitFor();
        await lock(page);
        await unlock(page, WRONG_PASSWORD);
        await wallet(page).getByRole("alert").filter({ hasText: "It did not open" }).waitFor();
        await unlock(page, NEXT_PASSWORD);
        await heading(page, "Accounts").waitFor();
        await page.reload();
        await heading(page, "Your vault").waitFor();
      });
    } finally {
      await context.close();
    }
    const texts = { password: PASSWORD, "next password": NEXT_PASSWORD, "wrong password": WRONG_PASSWORD };
    const secrets = Object.assign(secretsOfPhrase(phrase), ...Object.entries(texts).map(([name, text]) => formsOfText(name, text)));
    const canary = { database: Buffer.from("keyward"), name: Buffer.from("My vault") };
    const seen = new Set();
    const leaks = [];
    for (const path of files(profile)) {
      const bytes = readFileSync(path);
      found(canary, bytes).forEach((name) => seen.add(name));
      leaks.push(...found(secrets, bytes).map((name) => `${name} in ${path.slice(profile.length)}`));
    }
    assert.deepEqual([...seen].sort(), ["database", "name"], "the canary: the vault's name is on the disk");
    assert.deepEqual(leaks, []);
  } finally {
    rmSync(profile, { recursive: true, maxRetries: 5 });
  }
});
