// What a person does in the page, by the roles and names that assistive technology sees.
import assert from "node:assert/strict";

export const PASSWORD = "tapir lantern quorum 58 estuary";
export const PHRASE = "test test test test test test test test test test test junk";

export const wallet = (page) => page.getByRole("region", { name: "Wallet", exact: true });
export const dapp = (page) => page.getByRole("region", { name: "Sample dapp", exact: true });
export const button = (within, name) => within.getByRole("button", { name, exact: true });
export const field = (within, name) => within.getByLabel(name, { exact: true }).and(within.locator("input, textarea, select"));
export const heading = (page, name) => wallet(page).getByRole("heading", { name, level: 2, exact: true });
/** Errors of the wallet that are shown. */
export const alert = (within, text) => within.getByRole("alert").filter({ hasText: text });

export async function press(within, name) {
  await button(within, name).click();
}

/** Chooses and confirms a password on the last screen before there is a vault. */
export async function protect(page, password = PASSWORD) {
  await heading(page, "Choose a password").waitFor();
  await field(wallet(page), "Password").fill(password);
  await field(wallet(page), "Password, once more").fill(password);
  await press(wallet(page), "Create the vault");
  await heading(page, "Accounts").waitFor();
}

/** Makes a vault of new words, as told; gives the phrase that the page showed. */
export async function createVault(page, { words = 24, password = PASSWORD } = {}) {
  await press(wallet(page), "Create a vault");
  if (words !== 24) {
    await wallet(page).getByRole("radio", { name: `${words} words` }).check();
  }
  const phrase = await shownPhrase(page, words);
  await press(wallet(page), "I wrote it down");
  await heading(page, "Check what you wrote").waitFor();
  await fillWords(page, (place) => phrase.split(" ")[place - 1]);
  await press(wallet(page), "Continue");
  await protect(page, password);
  return phrase;
}

/** The words on the screen, once there are so many. */
export async function shownPhrase(page, words) {
  const items = wallet(page).getByRole("list", { name: "Your phrase" }).getByRole("listitem");
  await items.nth(words - 1).waitFor();
  const texts = await items.allTextContents();
  assert.equal(texts.length, words);
  return texts.join(" ");
}

/** Types what `word` gives for each place that is asked for, counted from 1. */
export async function fillWords(page, word) {
  const asked = wallet(page).getByRole("textbox", { name: /^Word \d+$/ });
  for (const input of await asked.all()) {
    const label = await input.evaluate((own) => own.labels[0].textContent);
    await input.fill(word(Number(/\d+/.exec(label)[0])));
  }
}

export async function importPhrase(page, phrase = PHRASE, password = PASSWORD) {
  await press(wallet(page), "Import a phrase or key");
  await field(wallet(page), "Phrase or key").fill(phrase);
  await press(wallet(page), "Continue");
  await protect(page, password);
}

/** Chooses a vault file on the first screen. */
export async function chooseFile(page, bytes, name = "vault.keyward") {
  const file = { name, mimeType: "application/octet-stream", buffer: Buffer.from(bytes) };
  await field(wallet(page), "Open a .keyward file").setInputFiles(file);
}

export async function unlock(page, password = PASSWORD) {
  await heading(page, "Unlock your vault").waitFor();
  await field(wallet(page), "Password").fill(password);
  await press(wallet(page), "Unlock");
}

export async function openFile(page, bytes, password = PASSWORD) {
  await chooseFile(page, bytes);
  await unlock(page, password);
  await heading(page, "Accounts").waitFor();
}

export async function lock(page) {
  await press(wallet(page), "Lock");
  await heading(page, "Unlock your vault").waitFor();
}

/** The addresses of a list, once there are so many. */
export async function addresses(page, list, count) {
  const items = wallet(page).getByRole("list", { name: list }).getByRole("listitem").locator("code");
  await items.nth(count - 1).waitFor();
  return items.allTextContents();
}

export async function part(page, name) {
  await press(wallet(page).getByRole("navigation", { name: "Vault" }), name);
}

/** Opens a card on the screen to manage the vault. */
export async function card(page, title) {
  await part(page, "Manage");
  await heading(page, "Manage the vault").waitFor();
  await wallet(page).locator("summary", { hasText: title }).click();
}

/** The dialog that asks, by its title. */
export const question = (page, title) => page.getByRole("dialog", { name: title, exact: true });

export async function connect(page, chain) {
  await press(dapp(page), `Connect ${chain}`);
  await press(question(page, `Connect ${chain} accounts?`), "Connect");
  await dapp(page).getByRole("status", { name: `${chain} connection` }).filter({ hasText: "Connected:" }).waitFor();
}

/** What the dapp shows as a result, once its title is this; by label. */
export async function outcome(page, chain, title) {
  const result = dapp(page).getByRole("status", { name: `${chain} result` });
  await result.getByRole("heading", { name: title, exact: true }).waitFor();
  const texts = async (selector) => result.locator(selector).allTextContents();
  const [labels, values] = [await texts("dt"), await texts("dd")];
  return Object.fromEntries(labels.map((label, at) => [label, values[at]]));
}

/** Presses a button of the dapp, allows what is asked, and gives the result. */
export async function allowed(page, chain, { ask, title, allow, shows, tick = false }) {
  await press(dapp(page), ask);
  const dialog = question(page, title);
  await dialog.waitFor();
  await readOn(dialog);
  if (tick) {
    await dialog.getByRole("checkbox", { name: "I understand what this can cost me" }).check();
  }
  await press(dialog, allow);
  return outcome(page, chain, shows);
}

/** Scrolls to the end of what a dialog asks. */
export async function readOn(dialog) {
  await dialog.locator(".end").evaluate((end) => end.scrollIntoView({ block: "end" }));
}
