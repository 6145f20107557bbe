/**
 * A wallet for tests of dapps: the keys stay in the test's own process, and a page gets wallets without keys that ask
 * it for everything. Answers come from a script, so it protects nothing: for tests alone, with keys that hold nothing.
 *
 * It works in Node only, so that no page can carry it by mistake, and calls itself TEST wherever it is shown.
 */
import { KeywardError } from "./errors.js";
import { registerProvider } from "./eip6963.js";
import { ICON, RDNS, TestKeys } from "./testing/keys.js";
import type { PageLike, TestWallet, TestWalletOptions } from "./testing/options.js";
import { Session } from "./testing/session.js";
import { pack, unpack, type PageConfig, type Question } from "./testing/wire.js";
import { registerWallet } from "./wallet-standard.js";
import { StandardWallet } from "./wallet-standard/wallet.js";

export type { PageLike, TestAnswer, TestRequest, TestWallet, TestWalletOptions } from "./testing/options.js";

/** The most hosts that a test's pages may be on. */
const MAX_HOSTS = 100;
let installed = 0;

/**
 * Installs a test wallet in every document that the page opens from now on: a page of Playwright, of Puppeteer, or a
 * browser context. Whatever the dapp's content security policy is, it holds: the script is injected by the browser's
 * own debugger, and needs neither `eval` nor WebAssembly.
 */
export async function installWallet(page: PageLike, options: TestWalletOptions): Promise<TestWallet> {
  const script = pageScript();
  const keys = await TestKeys.open(options);
  const sessions = new Map<string, Session>();
  installed += 1;
  const binding = `keywardTest${installed}`;
  const session = (host: string): Session => {
    const own = sessions.get(host) ?? new Session(keys.sessionOptions(host));
    if (!sessions.has(host) && sessions.size >= MAX_HOSTS) {
      throw new KeywardError("argument", `a test wallet serves at most ${MAX_HOSTS} hosts`);
    }
    sessions.set(host, own);
    return own;
  };
  try {
    await page.exposeFunction(binding, async (text) => {
      const question = unpack(text) as Question;
      return pack(await session(question.host).answer(question));
    });
    await inject(page, `(() => {\nconst KEYWARD_TEST = ${JSON.stringify(configOf(keys, binding))};\n${script}\n})();`);
  } catch (error) {
    keys.free();
    throw error;
  }
  return handle(keys, {
    disconnect: () => sessions.forEach((own) => own.disconnect()),
    free: () => sessions.forEach((own) => own.close()),
  });
}

/** A test wallet on the window of this very process, such as that of jsdom. */
export async function headlessWallet(options: TestWalletOptions): Promise<TestWallet> {
  nodeOnly();
  const keys = await TestKeys.open(options);
  const { wallet, provider } = keys.sessionOptions(window.location.host);
  const own = [registerWallet(wallet), registerProvider(provider)] as const;
  return handle(keys, {
    disconnect: () => own.forEach((each) => each.disconnect()),
    free: () => own.forEach((each) => each.unregister()),
  });
}

function handle(keys: TestKeys, all: { disconnect(): void; free(): void }): TestWallet {
  return {
    addresses: keys.addresses,
    get requests() {
      return keys.requests;
    },
    setAnswer: (answer) => {
      keys.answer = answer;
    },
    disconnect: () => all.disconnect(),
    free: () => {
      all.free();
      keys.free();
    },
  };
}

async function inject(page: PageLike, content: string): Promise<void> {
  if (page.addInitScript !== undefined) {
    await page.addInitScript({ content });
  } else if (page.evaluateOnNewDocument !== undefined) {
    await page.evaluateOnNewDocument(content);
  } else {
    throw new KeywardError("argument", "page must have addInitScript (Playwright) or evaluateOnNewDocument (Puppeteer)");
  }
}

/** What the page's wallets must show before anything is asked, as the wallet behind them has it. */
function configOf(keys: TestKeys, binding: string): PageConfig {
  const { standard } = new StandardWallet(keys.sessionOptions("").wallet) as unknown as { standard: Pick<PageConfig, "chains" | "features"> };
  const { chains, features } = standard;
  return { binding, name: keys.name, icon: ICON, rdns: RDNS, chains, features };
}

interface NodeProcess {
  /** Electron's: what kind of process it is. */
  readonly type?: string;
  readonly versions?: { readonly node?: string };
  readonly getBuiltinModule?: (name: string) => unknown;
}

function nodeOnly(): NodeProcess {
  const { process } = globalThis as { process?: NodeProcess };
  if (process?.versions?.node === undefined || process.type === "renderer" || process.type === "worker") {
    throw new KeywardError("environment", "keyward/testing works in Node only: its keys belong into a test's process, never into a page");
  }
  return process;
}

function pageScript(): string {
  const fs = nodeOnly().getBuiltinModule?.("node:fs") as { readFileSync(path: URL, encoding: "utf8"): string } | undefined;
  try {
    if (fs !== undefined) {
      return fs.readFileSync(new URL("./testing/page.js", import.meta.url), "utf8");
    }
  } catch (cause) {
    throw new KeywardError("environment", "the script for pages does not lie beside this module; do not bundle keyward/testing", { cause });
  }
  throw new KeywardError("environment", "this Node has no process.getBuiltinModule; use 20.16 or later");
}
