// What a dapp asks for cannot be allowed before all of it was in sight, and dangers are told as dangers.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import * as kit from "@solana/kit";

import { launch } from "./support/browser.mjs";
import { expected, fixture } from "./support/package.mjs";
import { screenshot, startSite, visit } from "./support/site.mjs";
import { button, connect, dapp, openFile, outcome, press, question, readOn } from "./support/ui.mjs";

const SCROLL = "Scroll to the end to allow it.";
const TICK = "Tick the box above to allow it.";
const MEMO = kit.address("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");
const SYSTEM = kit.address("11111111111111111111111111111111");
const TO = kit.address("US517G5965aydkZ46HS38QLi7UQiSojurfbQfKCELFx");
const BLOCKHASH = kit.blockhash("4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi");
let browser;
let site;

before(async () => {
  [site, browser] = await Promise.all([startSite(), launch()]);
});

after(async () => {
  await browser?.close();
  await site?.close();
});

/** The page on a phone and on a desk, with an open vault. */
async function opened(work) {
  for (const viewport of [{ width: 375, height: 812 }, { width: 1280, height: 900 }]) {
    await visit(browser, site, async (page) => {
      await page.evaluate(() => (document.documentElement.dataset.panel = "wallet"));
      await openFile(page, readFileSync(fixture("native.keyward")), expected.password);
      await page.evaluate(() => (document.documentElement.dataset.panel = "dapp"));
      await work(page, viewport.width);
    }, { viewport });
  }
}

/** Asks as any other dapp of the page: by Wallet Standard and by EIP-6963. */
const asks = (page, kind, input) =>
  page.evaluate(([what, given]) => {
    window.answer = undefined;
    const wallets = [];
    const register = (...found) => wallets.push(...found);
    window.dispatchEvent(new CustomEvent("wallet-standard:app-ready", { detail: Object.freeze({ register }) }));
    window.addEventListener("eip6963:announceProvider", ({ detail }) => (window.provider = detail.provider), { once: true });
    window.dispatchEvent(new Event("eip6963:requestProvider"));
    const [account] = wallets[0].accounts;
    const done = {
      transaction: () => wallets[0].features["solana:signTransaction"].signTransaction({ account, transaction: new Uint8Array(given), chain: "solana:devnet" }),
      message: () => wallets[0].features["solana:signMessage"].signMessage({ account, message: new TextEncoder().encode(given) }),
      evm: async () => {
        const [from] = await window.provider.request({ method: "eth_accounts" });
        const rest = { gas: "0x186a0", maxFeePerGas: "0x77359400", maxPriorityFeePerGas: "0x1", nonce: "0x0", chainId: "0x1" };
        return window.provider.request({ method: "eth_signTransaction", params: [{ from, ...rest, ...given }] });
      },
    }[what]();
    done.then(() => (window.answer = "signed"), (error) => (window.answer = error.message));
  }, [kind, input]);

const answered = (page) => page.waitForFunction(() => window.answer).then((handle) => handle.jsonValue());

/** A memo before a transfer of 900 SOL. */
function memoAndTransfer(memo) {
  const from = kit.address(expected.solana.address);
  const data = new DataView(new ArrayBuffer(12));
  data.setUint32(0, 2, true);
  data.setBigUint64(4, 900_000_000_000n, true);
  const message = kit.pipe(
    kit.createTransactionMessage({ version: 0 }),
    (own) => kit.setTransactionMessageFeePayer(from, own),
    (own) => kit.setTransactionMessageLifetimeUsingBlockhash({ blockhash: BLOCKHASH, lastValidBlockHeight: 0n }, own),
    (own) => kit.appendTransactionMessageInstructions([
      { programAddress: MEMO, accounts: [], data: new TextEncoder().encode(memo) },
      { programAddress: SYSTEM, accounts: [{ address: from, role: 3 }, { address: TO, role: 1 }], data: new Uint8Array(data.buffer) },
    ], own),
  );
  return [...kit.getTransactionEncoder().encode(kit.compileTransaction(message))];
}

test("a transfer stands before a memo, whatever its length", async () => {
  await opened(async (page, width) => {
    await connect(page, "Solana");
    await asks(page, "transaction", memoAndTransfer(`Hello${"\n".repeat(400)}x`));
    const dialog = question(page, "Sign a transaction?");
    const sentences = dialog.getByRole("list", { name: "What it does" }).getByRole("listitem");
    await sentences.first().waitFor();
    const texts = await sentences.allTextContents();
    assert.match(texts[0], /900/);
    assert.match(texts.at(-1), /^Write the memo "Hello.{100,300}…, whole text under Details$/);
    await button(dialog, "Sign transaction").and(page.locator(":enabled")).waitFor();
    const inSight = await sentences.last().evaluate((own) => own.getBoundingClientRect().bottom <= own.closest(".scroll").getBoundingClientRect().bottom + 1);
    assert.ok(inSight, "it was armed with all sentences in sight");
    await screenshot(page, `memo-${width}`);
    await press(dialog, "Sign transaction");
    assert.equal(await answered(page), "signed");
  });
});

test("a long message has to be scrolled through, and says how long it is", async () => {
  await opened(async (page, width) => {
    await connect(page, "Solana");
    await asks(page, "message", `Hello Tidepool${"\n".repeat(200)}give`);
    const dialog = question(page, "Sign a message?");
    await dialog.getByText(SCROLL).waitFor();
    assert.equal(await button(dialog, "Sign message").isDisabled(), true);
    await screenshot(page, `long-message-${width}`);
    const text = dialog.getByRole("region", { name: "Text" });
    assert.equal((await text.textContent()).match(/↵/g).length, 199);
    await dialog.getByText("201 lines, 218 characters.").waitFor();
    assert.ok(await text.evaluate((own) => own.scrollHeight <= own.clientHeight + 1), "no second scroller");
    await readOn(dialog);
    await button(dialog, "Sign message").and(page.locator(":enabled")).waitFor();
    await screenshot(page, `long-message-end-${width}`);
    await press(dialog, "Sign message");
    assert.equal(await answered(page), "signed");
  });
});

test("EVM transactions that cost control or cannot be read are dangers to be ticked", async () => {
  const approve = `0x095ea7b3${"00".repeat(12)}${"b2".repeat(20)}${"ff".repeat(32)}`;
  const cases = [
    ["approve", { to: "0xdAC17F958D2ee523a2206206994597C13D831ec7", value: "0x0", data: approve }, /unlimited/i],
    ["unknown", { to: "0x00000000000000000000000000000000000000a1", value: "0x8ac7230489e80000", data: "0xdeadbeef" }, /nobody here can read what that does/],
  ];
  await opened(async (page, width) => {
    await connect(page, "EVM");
    for (const [name, given, said] of cases) {
      await asks(page, "evm", given);
      const dialog = question(page, "Sign a transaction?");
      const dangers = dialog.getByRole("list", { name: "Dangers" }).getByRole("listitem");
      await dangers.filter({ hasText: said }).waitFor();
      assert.equal(await dialog.getByText("DANGER:").count(), 0, "not said twice");
      await readOn(dialog);
      await dialog.getByText(TICK).waitFor();
      assert.equal(await button(dialog, "Sign transaction").isDisabled(), true);
      await screenshot(page, `evm-${name}-${width}`);
      await dialog.getByRole("checkbox", { name: "I understand what this can cost me" }).check();
      await press(dialog, "Sign transaction");
      assert.equal(await answered(page), "signed");
    }
  });
});

test("what was armed is armed anew after another dialog was above it", async () => {
  await visit(browser, site, async (page) => {
    await openFile(page, readFileSync(fixture("native.keyward")), expected.password);
    await connect(page, "Solana");
    await press(dapp(page), "Sign message");
    const dialog = question(page, "Sign a message?");
    const allow = button(dialog, "Sign message");
    await allow.and(page.locator(":enabled")).waitFor();
    const states = await page.evaluate(async () => {
      const above = document.createElement("dialog");
      document.body.append(above);
      above.showModal();
      const own = [...document.querySelectorAll("dialog.approval footer button")].at(-1);
      const closed = new Promise((resolve) => above.addEventListener("close", resolve));
      above.close();
      await closed;
      above.remove();
      return own.disabled;
    });
    assert.equal(states, true);
    await allow.and(page.locator(":enabled")).waitFor();
    await press(dialog, "Deny");
    assert.equal((await outcome(page, "Solana", "The wallet said no")).Code, "rejected");
  });
});

test("characters that show nothing are drawn as their numbers", async () => {
  await visit(browser, site, async (page) => {
    await openFile(page, readFileSync(fixture("native.keyward")), expected.password);
    await connect(page, "EVM");
    await connect(page, "Solana");
    await asks(page, "message", "pay \u202e001 to me");
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    assert.doesNotMatch(await dialog.textContent(), /[\u202e]/);
    assert.doesNotMatch(await dialog.textContent(), /moves nothing by itself/);
    await screenshot(page, "controls");
    await page.keyboard.press("Escape");
  });
});
