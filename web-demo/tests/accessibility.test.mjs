// The page for everybody: by keyboard alone, by screen reader, in the dark and in the light, on a narrow screen.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { launch } from "./support/browser.mjs";
import { expected, fixture } from "./support/package.mjs";
import { screenshot, startSite, visit } from "./support/site.mjs";
import {
  PASSWORD, alert, chooseFile, connect, dapp, field, fillWords, heading, lock, openFile, outcome, part, press, protect, question, shownPhrase,
  unlock, wallet,
} from "./support/ui.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const vaultFile = () => readFileSync(fixture("native.keyward"));
let browser;
let site;

before(async () => {
  [site, browser] = await Promise.all([startSite(), launch()]);
});

after(async () => {
  await browser?.close();
  await site?.close();
});

/** Walks through every screen and dialog, and lets `look` see each. */
async function everyScreen(page, look) {
  const wide = (page.viewportSize()?.width ?? 0) > 992;
  const show = async (panel) => {
    if (!wide) {
      await press(page.getByRole("navigation", { name: "Panels" }), panel);
    }
  };
  await look("start");
  await press(wallet(page), "Create a vault");
  const phrase = await shownPhrase(page, 24);
  await look("phrase");
  await press(wallet(page), "I wrote it down");
  await fillWords(page, () => "wrong");
  await press(wallet(page), "Continue");
  await alert(wallet(page), "This is not word").first().waitFor();
  await look("check, with errors");
  await fillWords(page, (place) => phrase.split(" ")[place - 1]);
  await press(wallet(page), "Continue");
  await heading(page, "Choose a password").waitFor();
  await wallet(page).locator("summary", { hasText: "More options" }).click();
  await press(wallet(page), "Create the vault");
  await alert(wallet(page), "fewer than 12").waitFor();
  await look("protect, with errors");
  await protect(page);
  await wallet(page).getByRole("list", { name: "Accounts of the phrase" }).getByRole("listitem").nth(4).waitFor();
  await look("accounts");
  await wallet(page).getByRole("button", { name: /^QR code of / }).first().click();
  await look("QR code");
  await page.keyboard.press("Escape");
  await connectBoth(page, show, look);
  await show("Wallet");
  await part(page, "Connections");
  await look("connections");
  await part(page, "Manage");
  const closed = wallet(page).locator("details:not([open]) > summary:visible");
  while ((await closed.count()) > 0) {
    await closed.first().click();
  }
  await look("manage");
  await press(wallet(page), "Forget the kept copy");
  await look("forget");
  await page.keyboard.press("Escape");
  await lock(page);
  await unlock(page, "not the password at all");
  await alert(wallet(page), "It did not open").waitFor();
  await look("unlock, with errors");
  await press(wallet(page), "Use the recovery key instead");
  await look("recovery");
  await press(wallet(page), "Another vault");
  await press(wallet(page), "Import a phrase or key");
  await wallet(page).locator("summary", { hasText: "More options" }).click();
  await look("import");
}

async function connectBoth(page, show, look) {
  await show("Sample dapp");
  await press(dapp(page), "Connect Solana");
  await question(page, "Connect Solana accounts?").waitFor();
  await look("connect");
  await press(question(page, "Connect Solana accounts?"), "Connect");
  await outcome(page, "Solana", "Connected");
  await connect(page, "EVM");
  await look("connected dapp");
  for (const [kind, title] of [["memo", "Sign a transaction?"], ["assign", "Sign a transaction?"], ["twice", "Sign a transaction: refused"]]) {
    await dapp(page).getByLabel("Transaction", { exact: true }).selectOption(kind);
    await press(dapp(page), "Sign transaction");
    await question(page, title).waitFor();
    await look(`transaction ${kind}`);
    await page.keyboard.press("Escape");
    await question(page, title).waitFor({ state: "detached" });
  }
  await outcome(page, "Solana", "The wallet said no");
  await look("refused dapp");
  await press(dapp(page), "Sign typed data");
  await question(page, "Sign typed data?").waitFor();
  await look("typed data");
  await page.keyboard.press("Escape");
}

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing serious on any screen, ${colorScheme}`, async () => {
    await visit(browser, site, async (page) => {
      await page.evaluate(readFileSync(AXE, "utf8"));
      const problems = [];
      let screens = 0;
      await everyScreen(page, async (name) => {
        screens += 1;
        await screenshot(page, `${colorScheme}-${name.replace(/\W+/g, "-")}`);
        const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
        const told = ({ id, impact, help, nodes }) => `${name}: ${impact}: ${id}: ${help}: ${nodes.map((node) => node.target.join(" ")).join(", ")}`;
        problems.push(...violations.map(told));
      });
      assert.ok(screens >= 18, `${screens} screens`);
      assert.deepEqual(problems, []);
    }, { colorScheme, reducedMotion: "reduce" });
  });
}

test("the search with axe can fail", async () => {
  await visit(browser, site, async (page) => {
    await page.evaluate(readFileSync(AXE, "utf8"));
    await page.evaluate(() => document.querySelector("main").append(document.createElement("button")));
    const { violations } = await page.evaluate(() => globalThis.axe.run(document));
    assert.ok(violations.some((violation) => violation.id === "button-name" && violation.impact === "critical"));
  });
});

for (const width of [320, 390]) {
  test(`nothing sticks out of a screen of ${width} pixels`, async () => {
    await visit(browser, site, async (page) => {
      const wide = [];
      await everyScreen(page, async (name) => {
        await screenshot(page, `${width}-${name.replace(/\W+/g, "-")}`);
        const sizes = await page.evaluate(() => {
          const all = [...document.querySelectorAll("body *")].filter((own) => own.getClientRects().length > 0 && own.closest(".visually-hidden") === null);
          const out = all.filter((own) => own.getBoundingClientRect().right > innerWidth + 1 && own.closest("pre, .scroll") === null);
          const dialog = document.querySelector("dialog[open] .scroll");
          return {
            page: document.documentElement.scrollWidth - innerWidth,
            dialog: dialog === null ? 0 : dialog.scrollWidth - dialog.clientWidth,
            out: out.slice(0, 3).map((own) => own.outerHTML.slice(0, 80)),
          };
        });
        if (sizes.page > 0 || sizes.dialog > 0 || sizes.out.length > 0) {
          wide.push({ name, ...sizes });
        }
      });
      assert.deepEqual(wide, []);
    }, { viewport: { width, height: 640 }, isMobile: true, hasTouch: true });
  });
}

/** Moves the focus by Tab until it is on the element of this accessible name; fails if it never comes there. */
async function tabTo(page, name, key = "Tab") {
  const pattern = name instanceof RegExp ? name : new RegExp(`^${name}$`);
  const seen = [];
  for (let step = 0; step < 60; step += 1) {
    const now = await page.evaluate(() => {
      const own = document.activeElement;
      const labels = [...(own?.labels ?? [])].map((label) => label.textContent.trim());
      return own?.getAttribute("aria-label") ?? labels[0] ?? own?.textContent?.trim() ?? "";
    });
    if (pattern.test(now)) {
      const visible = await page.evaluate(() => document.activeElement.matches(":focus-visible"));
      assert.ok(visible, `the focus on ${now} is shown`);
      return;
    }
    seen.push(now.slice(0, 30));
    await page.keyboard.press(key);
  }
  assert.fail(`no way to ${name} by ${key}: ${seen.join(" | ")}`);
}

test("by keyboard alone: create a vault, connect, sign, lock", async () => {
  await visit(browser, site, async (page) => {
    const { keyboard } = page;
    const enter = async (name) => {
      await tabTo(page, name);
      await keyboard.press("Enter");
    };
    await page.evaluate(() => document.body.focus());
    await enter("Create a vault");
    const phrase = await shownPhrase(page, 24);
    await enter("I wrote it down");
    await heading(page, "Check what you wrote").waitFor();
    for (let word = 0; word < 3; word += 1) {
      await tabTo(page, /^Word \d+$/);
      const place = Number(/\d+/.exec(await page.evaluate(() => document.activeElement.labels[0].textContent))[0]);
      await keyboard.type(phrase.split(" ")[place - 1]);
      await keyboard.press("Tab");
    }
    await enter("Continue");
    await heading(page, "Choose a password").waitFor();
    await tabTo(page, "Password");
    await keyboard.type(PASSWORD);
    await tabTo(page, "Password, once more");
    await keyboard.type(PASSWORD);
    await keyboard.press("Enter");
    await heading(page, "Accounts").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), "wallet-title", "the focus goes to the new screen's title");

    await enter("Connect Solana");
    const connecting = question(page, "Connect Solana accounts?");
    await connecting.waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Deny", "the focus starts where nothing happens");
    await connecting.getByRole("button", { name: "Connect", exact: true, disabled: false }).waitFor();
    await enter("Connect");
    await outcome(page, "Solana", "Connected");
    await enter("Sign message");
    const signing = question(page, "Sign a message?");
    await signing.getByRole("button", { name: "Sign message", exact: true, disabled: false }).waitFor();
    await keyboard.press("Escape");
    assert.equal((await outcome(page, "Solana", "The wallet said no")).Code, "rejected");
    await enter("Sign message");
    await signing.getByRole("button", { name: "Sign message", exact: true, disabled: false }).waitFor();
    await enter("Sign message");
    assert.equal((await outcome(page, "Solana", "Message signed")).Check, "the signature is valid");
    await enter("Lock");
    await heading(page, "Unlock your vault").waitFor();
    await tabTo(page, "Password");
    await keyboard.type(PASSWORD);
    await keyboard.press("Enter");
    await heading(page, "Accounts").waitFor();
  });
});

test("the skip link leads to the wallet, and the themes can be switched", async () => {
  await visit(browser, site, async (page) => {
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the wallet");
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await background();
    await press(page, "Switch to the dark theme");
    await page.getByRole("button", { name: "Switch to the light theme" }).waitFor();
    assert.notEqual(await background(), light);
    await page.reload();
    await page.getByRole("button", { name: "Switch to the light theme" }).waitFor();
    assert.notEqual(await background(), light, "the choice stays");
    await openFile(page, vaultFile(), expected.password);
    await chooseAfterLock(page);
  }, { colorScheme: "light" });
});

async function chooseAfterLock(page) {
  await lock(page);
  await press(wallet(page), "Another vault");
  await chooseFile(page, vaultFile());
  await field(wallet(page), "Password").waitFor();
}
