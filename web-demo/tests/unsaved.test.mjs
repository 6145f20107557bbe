// Nothing is lost without a word: what is not saved, what was begun and left, what another tab changed.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch } from "./support/browser.mjs";
import { screenshot, startSite, visit } from "./support/site.mjs";
import {
  PASSWORD, PHRASE, alert, card, field, heading, importPhrase, lock, press, protect, shownPhrase, wallet,
} from "./support/ui.mjs";

const UNSAVED = /Not saved yet/;
let browser;
let site;

before(async () => {
  [site, browser] = await Promise.all([startSite(), launch()]);
});

after(async () => {
  await browser?.close();
  await site?.close();
});

const breakStorage = (page) =>
  page.evaluate(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException("no space", "QuotaExceededError");
    };
  });

const asksBeforeLeaving = (page) =>
  page.evaluate(() => !window.dispatchEvent(new Event("beforeunload", { cancelable: true })));

test("a file is saved while the browser's database fails", async () => {
  await visit(browser, site, async (page) => {
    await importPhrase(page);
    await breakStorage(page);
    await card(page, "File");
    for (let time = 0; time < 2; time += 1) {
      const [saved] = await Promise.all([page.waitForEvent("download"), press(wallet(page), "Save to a file")]);
      assert.equal(saved.suggestedFilename(), "My vault.keyward");
    }
    await alert(wallet(page), "This browser did not keep the vault.").waitFor();
  });
});

test("a vault that is not kept is said to be unsaved until it is", async () => {
  await visit(browser, site, async (page) => {
    assert.equal(await asksBeforeLeaving(page), false);
    await press(wallet(page), "Import a phrase or key");
    await field(wallet(page), "Phrase or key").fill(PHRASE);
    await press(wallet(page), "Continue");
    await wallet(page).getByLabel("Keep the encrypted vault in this browser").uncheck();
    await protect(page);
    await wallet(page).getByText(UNSAVED).waitFor();
    assert.equal(await asksBeforeLeaving(page), true);
    await screenshot(page, "unsaved");
    await lock(page);
    await wallet(page).getByText(UNSAVED).waitFor();
    await press(wallet(page), "Another vault");
    await press(wallet(page), "Create a vault");
    await press(page.getByRole("dialog"), "Go back");
    await press(wallet(page), "Save to a file now");
    await wallet(page).getByText(UNSAVED).waitFor({ state: "detached" });
    assert.equal(await asksBeforeLeaving(page), false);
  });
});

test("a kept vault is saved, and unsaved after a change that could not be kept", async () => {
  await visit(browser, site, async (page) => {
    await importPhrase(page);
    await wallet(page).getByText(UNSAVED).waitFor({ state: "detached" });
    assert.equal(await asksBeforeLeaving(page), false);
    await breakStorage(page);
    await card(page, "Change the password");
    const group = wallet(page).getByRole("group", { name: "Change the password" });
    await field(group, "Current password").fill(PASSWORD);
    await field(group, "New password").fill("juniper ballast 77 ocarina thread");
    await field(group, "New password, once more").fill("juniper ballast 77 ocarina thread");
    await press(group, "Change the password");
    await wallet(page).getByText(/The password was changed\. This browser did not keep the vault\./).waitFor();
    await wallet(page).getByText(UNSAVED).waitFor();
    assert.equal(await asksBeforeLeaving(page), true);
  });
});

test("a phrase that nobody goes on with is wiped, and so is what was typed", async () => {
  await visit(browser, site, async (page) => {
    await page.clock.install();
    const begun = {
      "Create a vault": () => shownPhrase(page, 24),
      "Import a phrase or key": () => field(wallet(page), "Phrase or key").fill("tapir abandon"),
    };
    for (const [way, begin] of Object.entries(begun)) {
      await press(wallet(page), way);
      await begin();
      await page.clock.fastForward(5 * 60_000 + 2_000);
      await wallet(page).getByText("What you began was wiped because nobody went on.").waitFor();
      await heading(page, "Your vault").waitFor();
    }
  });
});

test("leaving the page takes the words out of the document", async () => {
  await visit(browser, site, async (page) => {
    await press(wallet(page), "Create a vault");
    await shownPhrase(page, 24);
    const left = await page.evaluate(() => {
      window.dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
      return document.getElementById("wallet").childNodes.length;
    });
    assert.equal(left, 0);
  });
});

test("a secret that was shown is masked again once it was taken", async () => {
  await visit(browser, site, async (page) => {
    await importPhrase(page);
    await lock(page);
    const password = field(wallet(page), "Password");
    assert.equal(await password.evaluate((own) => own === document.activeElement), true, "it is typed into at once");
    await wallet(page).getByRole("button", { name: "Show password" }).click();
    assert.equal(await password.getAttribute("type"), "text");
    await password.fill("not the password at all");
    await press(wallet(page), "Unlock");
    await alert(wallet(page), "It did not open").waitFor();
    assert.equal(await password.getAttribute("type"), "password");
  });
});

test("what another tab changed is not forgotten without a second question", async () => {
  await visit(browser, site, async (page) => {
    await importPhrase(page);
    const kept = () =>
      page.evaluate((bytes) => new Promise((resolve, reject) => {
        const opening = indexedDB.open("keyward", 1);
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const store = opening.result.transaction("vaults", "readwrite").objectStore("vaults");
          const asked = store.getAll();
          asked.onsuccess = () => {
            const [row] = asked.result;
            if (row !== undefined && row.file.length !== bytes) {
              store.put({ ...row, file: new Uint8Array(bytes) });
            }
            store.transaction.oncomplete = () => {
              opening.result.close();
              resolve(asked.result.length);
            };
          };
        };
      }), 7);
    await card(page, "File");
    await wallet(page).getByRole("button", { name: "Forget the kept copy" }).waitFor();
    assert.equal(await kept(), 1);
    const answer = async (title, tick, name) => {
      const dialog = page.getByRole("dialog", { name: title, exact: true });
      await dialog.getByRole("checkbox", { name: tick }).check();
      await press(dialog, name);
    };
    const forget = async () => {
      await press(wallet(page), "Forget the kept copy");
      await answer("Forget the vault kept here?", "I have its file or its phrase in another place", "Forget it");
    };
    await forget();
    await press(page.getByRole("dialog", { name: "Another state is kept here", exact: true }), "Keep it");
    assert.equal(await kept(), 1);
    await forget();
    await answer("Another state is kept here", "I have the other state in another place", "Forget it");
    await heading(page, "Your vault").waitFor();
    assert.equal(await kept(), 0);
  });
});
