/** Registers a wallet object with every dapp of the page, those that come later included; gives what ends it. */
export function register(wallet: object): () => void {
  const unregisters: (() => void)[] = [];
  let registered = true;
  const tell = (api: unknown): void => {
    const add = (api as { register?: unknown } | null | undefined)?.register;
    if (registered && typeof add === "function") {
      const unregister: unknown = add.call(api, wallet);
      if (typeof unregister === "function") {
        unregisters.push(unregister as () => void);
      }
    }
  };
  const onReady = (event: Event): void => tell((event as CustomEvent<unknown>).detail);
  window.addEventListener("wallet-standard:app-ready", onReady);
  window.dispatchEvent(new CustomEvent("wallet-standard:register-wallet", { detail: tell }));
  return () => {
    registered = false;
    window.removeEventListener("wallet-standard:app-ready", onReady);
    unregisters.splice(0).forEach((unregister) => unregister());
  };
}
