const utf8 = (text) => new TextEncoder().encode(text);

/** Opens the vault file beside the page and signs a message with each of its signers. */
export async function sign(openVault, file) {
  const vault = await openVault(file, utf8("correct horse battery staple"));
  const text = "Keyward signs this alike in every place";
  const [solana, evm] = [await vault.solana(), await vault.evm()];
  const signed = { solana: [...(await solana.signMessage(utf8(text)))], evm: await evm.signMessage(text) };
  await vault.free();
  return signed;
}

/** The vault file, from the page's own origin. */
export async function vaultFile(base) {
  return new Uint8Array(await (await fetch(new URL("native.keyward", base))).arrayBuffer());
}

/** Puts what came of it where the test looks. */
export async function show(work) {
  const output = document.querySelector("output");
  try {
    output.textContent = JSON.stringify(await work());
  } catch (error) {
    output.textContent = JSON.stringify({ error: String(error), cause: String(error.cause) });
  }
}
