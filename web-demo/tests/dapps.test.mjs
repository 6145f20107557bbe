// The sample dapp asks and the person answers: what is shown, what is signed, what is refused.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { launch } from "./support/browser.mjs";
import { expected, fixture } from "./support/package.mjs";
import { screenshot, startSite, visit } from "./support/site.mjs";
import {
  allowed, alert, button, connect, dapp, heading, lock, openFile, outcome, part, press, question, unlock, wallet,
} from "./support/ui.mjs";

// Those who check EVM signatures are dependencies of the package's own tests.
const { recoverMessageAddress, recoverTypedDataAddress } = createRequire(new URL("../../wasm/js/package.json", import.meta.url))("viem");

const VALID = "the signature is valid";
let browser;
let site;

before(async () => {
  [site, browser] = await Promise.all([startSite(), launch()]);
});

after(async () => {
  await browser?.close();
  await site?.close();
});

/** The page with an open vault: the fixture without a policy, or the one with. */
function opened(name, work) {
  return visit(browser, site, async (page) => {
    await openFile(page, readFileSync(fixture(name)), expected.password);
    await work(page);
  });
}

/** The dapp asks for something that its person denies. */
async function denied(page, chain, ask, title) {
  await press(dapp(page), ask);
  await press(question(page, title), "Deny");
  return outcome(page, chain, "The wallet said no");
}

const choose = (page, field, option) => dapp(page).getByLabel(field, { exact: true }).selectOption(option);

test("Solana: connected by Wallet Standard, messages, sign-ins and transactions are shown, signed and verified", async () => {
  await opened("native.keyward", async (page) => {
    await press(dapp(page), "Sign message");
    assert.match((await outcome(page, "Solana", "The wallet said no")).Message, /connect a wallet first/);
    await press(dapp(page), "Connect Solana");
    await press(question(page, "Connect Solana accounts?"), "Deny");
    assert.equal((await outcome(page, "Solana", "The wallet said no")).Code, "rejected");
    await connect(page, "Solana");
    assert.equal((await outcome(page, "Solana", "Connected"))["Account 1"], expected.solana.address);

    const text = { ask: "Sign message", title: "Sign a message?", allow: "Sign message", shows: "Message signed" };
    await dapp(page).getByLabel("Message", { exact: true }).fill(expected.text);
    const message = await allowed(page, "Solana", text);
    assert.equal(message.Check, VALID);
    assert.equal((await denied(page, "Solana", "Sign message", "Sign a message?")).Code, "rejected");

    await press(dapp(page), "Sign in with Solana");
    const signIn = question(page, "Sign in?");
    await signIn.getByText(new URL(site.origin).host).first().waitFor();
    await screenshot(page, "sign-in");
    await press(signIn, "Sign in");
    const signedIn = await outcome(page, "Solana", "Signed in");
    assert.deepEqual([signedIn.Account, signedIn.Check], [expected.solana.address, VALID]);

    for (const kind of ["transfer", "memo"]) {
      await choose(page, "Transaction", kind);
      await press(dapp(page), "Sign transaction");
      const dialog = question(page, "Sign a transaction?");
      await dialog.getByRole("list", { name: "What it does" }).getByText(/0\.05/).first().waitFor();
      await dialog.getByText("you: the vault has no policy of its own").waitFor();
      if (kind === "memo") {
        await dialog.getByText("For the boat, with thanks").first().waitFor();
      }
      await screenshot(page, `transaction-${kind}`);
      await press(dialog, "Sign transaction");
      assert.equal((await outcome(page, "Solana", "Transaction signed, not sent")).Check, VALID);
    }
    assert.equal((await denied(page, "Solana", "Sign transaction", "Sign a transaction?")).Code, "rejected");
    await press(dapp(page), "Disconnect Solana");
    await dapp(page).getByRole("status", { name: "Solana connection" }).filter({ hasText: "Disconnected" }).waitFor();
    await press(dapp(page), "Sign message");
    assert.equal((await outcome(page, "Solana", "The wallet said no")).Code, "not-connected");
  });
});

test("what is dangerous must be acknowledged first", async () => {
  await opened("native.keyward", async (page) => {
    await connect(page, "Solana");
    for (const kind of ["assign", "unknown"]) {
      await choose(page, "Transaction", kind);
      await press(dapp(page), "Sign transaction");
      const dialog = question(page, "Sign a transaction?");
      await dialog.getByRole("list", { name: "Dangers" }).getByRole("listitem").first().waitFor();
      await dialog.getByText("Tick the box above to allow it.").waitFor();
      assert.equal(await button(dialog, "Sign transaction").isDisabled(), true);
      await screenshot(page, `dangerous-${kind}`);
      await page.keyboard.press("Escape");
      assert.equal((await outcome(page, "Solana", "The wallet said no")).Code, "rejected");
      const sign = { ask: "Sign transaction", title: "Sign a transaction?", allow: "Sign transaction", shows: "Transaction signed, not sent" };
      assert.equal((await allowed(page, "Solana", { ...sign, tick: true })).Check, VALID);
    }
  });
});

test("traps are refused whoever asks, and the person sees why", async () => {
  await opened("native.keyward", async (page) => {
    await connect(page, "Solana");
    await choose(page, "Transaction", "twice");
    await press(dapp(page), "Sign transaction");
    const refused = question(page, "Sign a transaction: refused");
    await refused.getByText("it sets the compute budget twice").waitFor();
    assert.equal(await button(refused, "Sign transaction").count(), 0);
    await screenshot(page, "refused");
    await press(refused, "Close");
    const result = await outcome(page, "Solana", "The wallet said no");
    assert.deepEqual([result.Code, result.Reasons], ["refused", "duplicate-compute-budget"]);

    await choose(page, "What to sign", "transaction");
    await press(dapp(page), "Sign message");
    await press(question(page, "Message refused"), "Close");
    const trap = await outcome(page, "Solana", "The wallet said no");
    assert.deepEqual([trap.Code, trap.Reasons], ["refused", "looks-like-transaction, not-text"]);
  });
});

test("a vault's own policy refuses what it does not allow, and still asks for what it allows", async () => {
  await opened("policy.keyward", async (page) => {
    await wallet(page).getByText("The vault’s own policy decides first.").waitFor();
    await connect(page, "Solana");
    await choose(page, "Transaction", "unknown");
    await press(dapp(page), "Sign transaction");
    const refused = question(page, "Sign a transaction: refused");
    await refused.getByText("the policy in your vault").waitFor();
    await screenshot(page, "refused-by-policy");
    await press(refused, "Close");
    const result = await outcome(page, "Solana", "The wallet said no");
    assert.deepEqual([result.Code, result.Reasons], ["refused", "unknown-program"]);
    await choose(page, "Transaction", "transfer");
    const sign = { ask: "Sign transaction", title: "Sign a transaction?", allow: "Sign transaction", shows: "Transaction signed, not sent" };
    assert.equal((await allowed(page, "Solana", sign)).Check, VALID);

    await connect(page, "EVM");
    await press(dapp(page), "Sign typed data");
    const typed = question(page, "Sign typed data: refused");
    await press(typed, "Close");
    assert.match((await outcome(page, "EVM", "The wallet said no")).Message, /no rule allows this/);
  });
});

test("EVM: connected by EIP-6963, messages and typed data are shown, signed and recovered", async () => {
  await opened("native.keyward", async (page) => {
    await press(dapp(page), "Connect EVM");
    await press(question(page, "Connect EVM accounts?"), "Deny");
    assert.equal((await outcome(page, "EVM", "The wallet said no")).Code, "4001");
    await connect(page, "EVM");
    const address = (await outcome(page, "EVM", "Connected"))["Account 1"];
    assert.equal(address.toLowerCase(), expected.evm.address.toLowerCase());
    await dapp(page).getByLabel("Personal message", { exact: true }).fill(expected.text);
    const message = await allowed(page, "EVM", { ask: "Sign personal message", title: "Sign a message?", allow: "Sign message", shows: "Message signed" });
    assert.equal(message.Signature, expected.evm.signature);
    assert.equal(await recoverMessageAddress({ message: expected.text, signature: message.Signature }), expected.evm.address);
    assert.equal((await denied(page, "EVM", "Sign personal message", "Sign a message?")).Code, "4001");

    const typed = { ask: "Sign typed data", title: "Sign typed data?", allow: "Sign typed data", shows: "Typed data signed" };
    const note = await allowed(page, "EVM", typed);
    assert.equal(await recoverTypedDataAddress({ ...noteOf(address), signature: note.Signature }), expected.evm.address);
    for (const kind of ["order", "permit"]) {
      await choose(page, "Typed data", kind);
      await press(dapp(page), "Sign typed data");
      const dialog = question(page, "Sign typed data?");
      await dialog.getByRole("list", { name: "Dangers" }).getByRole("listitem").first().waitFor();
      await dialog.getByText("Tick the box above to allow it.").waitFor();
      assert.equal(await button(dialog, "Sign typed data").isDisabled(), true);
      await screenshot(page, `typed-data-${kind}`);
      await press(dialog, "Deny");
      assert.equal((await outcome(page, "EVM", "The wallet said no")).Code, "4001");
    }
    await allowed(page, "EVM", { ...typed, tick: true });
  });
});

/** The dapp's harmless note; see web-demo/src/dapp/typed-data.ts. */
function noteOf(writer) {
  return {
    domain: { name: "Tidepool", version: "1", chainId: 1, verifyingContract: "0x00000000000000000000000000000000000000a1" },
    types: { Note: [{ name: "writer", type: "address" }, { name: "text", type: "string" }] },
    primaryType: "Note",
    message: { writer, text: "High tide at noon" },
  };
}

test("a signer whose key was wiped signs nothing", async () => {
  await opened("native.keyward", async (page) => {
    await connect(page, "Solana");
    await part(page, "Connections");
    await heading(page, "Connections").waitFor();
    await wallet(page).getByText("key ready in the worker").waitFor();
    await wallet(page).getByRole("button", { name: /^Wipe the key of / }).click();
    await wallet(page).getByText("key wiped: the dapp’s next request fails").waitFor();
    await press(dapp(page), "Sign message");
    assert.equal((await outcome(page, "Solana", "The wallet said no")).Code, "freed");
    await screenshot(page, "freed");
    await connect(page, "Solana");
    const text = { ask: "Sign message", title: "Sign a message?", allow: "Sign message", shows: "Message signed" };
    assert.equal((await allowed(page, "Solana", text)).Check, VALID);
    await wallet(page).getByRole("button", { name: /^Disconnect / }).click();
    await dapp(page).getByRole("status", { name: "Solana connection" }).filter({ hasText: "Disconnected" }).waitFor();
  });
});

test("locking takes everything back, a question under way included", async () => {
  await opened("native.keyward", async (page) => {
    await connect(page, "Solana");
    await connect(page, "EVM");
    await press(dapp(page), "Sign message");
    const dialog = question(page, "Sign a message?");
    await dialog.waitFor();
    // As the automatic lock does, which does not wait for an answer: the page behind the dialog is inert for its person.
    await page.evaluate(() => [...document.querySelectorAll("#wallet button")].find((own) => own.textContent.trim() === "Lock").click());
    await heading(page, "Unlock your vault").waitFor();
    await dialog.waitFor({ state: "detached" });
    assert.equal((await outcome(page, "Solana", "The wallet said no")).Code, "rejected");
    for (const chain of ["Solana", "EVM"]) {
      await dapp(page).getByRole("status", { name: `${chain} connection` }).filter({ hasText: "Disconnected" }).waitFor();
    }
    await press(dapp(page), "Sign personal message");
    assert.equal((await outcome(page, "EVM", "The wallet said no")).Code, "4100");
    await press(dapp(page), "Connect Solana");
    assert.equal((await outcome(page, "Solana", "The wallet said no")).Code, "locked");
    await unlock(page, "not the password at all");
    await alert(wallet(page), "It did not open").waitFor();
    await unlock(page, expected.password);
    await heading(page, "Accounts").waitFor();
    await connect(page, "Solana");
    await lock(page);
  });
});
