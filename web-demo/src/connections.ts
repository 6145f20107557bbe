/**
 * The wallet's side of the dapps in this page: it is found by Wallet Standard and EIP-6963, asks which accounts a dapp
 * may see, and asks again before every signature.
 */
import { KeywardError, type Account, type Chain, type EvmWallet, type SolanaWallet } from "keyward";
import type { RemoteEvmSigner, RemoteSolanaSigner, RemoteVault } from "keyward/client";
import { registerProvider, type EvmConfirmation, type RegisteredProvider } from "keyward/eip6963";
import { registerWallet, type Confirmation, type RegisteredWallet } from "keyward/wallet-standard";
import type { Approvals, Question } from "./approval";
import { h } from "./dom";
import { evmQuestion, solanaQuestion, type Asked } from "./review";
import { address } from "./sentences";
import type { Session } from "./session";
import { walletPassword } from "./views/wallet-password";

/** How many accounts of the phrase are offered to a dapp, besides the wallets in the vault. */
const OFFERED = 5;
const FAMILY = { solana: "bip44-change", evm: "evm-bip44" } as const;

/** Networks that EVM requests may name. Nothing is sent, so none has an endpoint. */
const EVM_CHAINS = [
  { chainId: 1, name: "Ethereum" },
  { chainId: 56, name: "BNB Smart Chain" },
  { chainId: 137, name: "Polygon" },
];

const NAME = "Keyward";
const RDNS = "dev.keyward.demo";
/** The same picture as `icon.svg`. */
const ICON = `data:image/svg+xml;base64,${[
  "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAzMiAzMiI+PHJlY3Qgd2lkdGg9IjMy",
  "IiBoZWlnaHQ9IjMyIiByeD0iNyIgZmlsbD0iIzBmNGY0MyIvPjxwYXRoIGQ9Ik0xNiA1LjVhNi4yIDYuMiAwIDAgMC0zIDExLjZW",
  "MjdoNnYtM2gtM3YtMmgzdi00LjlhNi4yIDYuMiAwIDAgMC0zLTExLjZ6bTAgNC4yYTIgMiAwIDEgMSAwIDQgMiAyIDAgMCAxIDAt",
  "NHoiIGZpbGw9IiNmNGVmZTIiLz48L3N2Zz4K",
].join("")}` as const;

/** An account and how the vault opens it. */
interface Offer {
  readonly account: Account;
  readonly which: string;
}

export interface Connection {
  readonly chain: Chain;
  readonly address: string;
  readonly signer: RemoteSolanaSigner | RemoteEvmSigner;
  /** Its key was wiped while the dapp still believes to be connected. */
  wiped: boolean;
}

export class Connections {
  readonly #session: Session;
  readonly #approvals: Approvals;
  readonly #changed: (text: string) => void;
  #list: readonly Connection[] = [];
  #solana: RegisteredWallet | undefined;
  #evm: RegisteredProvider | undefined;
  #refusalShown = false;

  /** `changed` is told what happened, in words. */
  constructor(session: Session, approvals: Approvals, changed: (text: string) => void) {
    this.#session = session;
    this.#approvals = approvals;
    this.#changed = changed;
  }

  get list(): readonly Connection[] {
    return this.#list;
  }

  /** Makes the wallet known to every dapp of this page. */
  register(): void {
    this.#solana = registerWallet({
      name: NAME,
      icon: ICON,
      connect: () => this.#connectSolana(),
      confirm: (request) => this.#confirmSolana(request),
    });
    this.#evm = registerProvider({
      name: NAME,
      icon: ICON,
      rdns: RDNS,
      chains: EVM_CHAINS,
      connect: () => this.#connectEvm(),
      confirm: (request) => this.#confirmEvm(request),
    });
  }

  /** Takes a chain's accounts back from every dapp, and wipes their keys. */
  disconnect(chain: Chain): void {
    const gone = this.#list.filter((connection) => connection.chain === chain);
    this.#list = this.#list.filter((connection) => connection.chain !== chain);
    (chain === "solana" ? this.#solana : this.#evm)?.disconnect();
    gone.forEach(({ signer }) => void Promise.resolve(signer.free()).catch(() => undefined));
    if (gone.length > 0) {
      this.#changed("The dapp was disconnected.");
    }
  }

  /** As after a lock: the keys are gone already. */
  disconnectAll(): void {
    this.disconnect("solana");
    this.disconnect("evm");
  }

  /** Wipes one key and leaves the dapp to find out. */
  async wipe(connection: Connection): Promise<void> {
    await connection.signer.free();
    connection.wiped = true;
    this.#changed("The key was wiped.");
  }

  async #connectSolana(): Promise<readonly SolanaWallet[]> {
    const { chosen, vault } = await this.#choose("solana");
    const signers = await this.#openAll(chosen, (which, options) => vault.solana(which, options));
    this.#adopt("solana", signers);
    return signers.map((signer) => this.#watchedSolana(signer));
  }

  async #connectEvm(): Promise<readonly EvmWallet[]> {
    const { chosen, vault } = await this.#choose("evm");
    const signers = await this.#openAll(chosen, (which, options) => vault.evm(which, options));
    this.#adopt("evm", signers);
    return signers.map((signer) => this.#watchedEvm(signer));
  }

  #adopt(chain: Chain, signers: readonly (RemoteSolanaSigner | RemoteEvmSigner)[]): void {
    const old = this.#list.filter((connection) => connection.chain === chain);
    const fresh = signers.map((signer) => ({ chain, address: signer.address, signer, wiped: false }));
    this.#list = [...this.#list.filter((connection) => connection.chain !== chain), ...fresh];
    old.forEach(({ signer }) => void Promise.resolve(signer.free()).catch(() => undefined));
    this.#changed(fresh.length === 1 ? "One account is connected." : `${fresh.length} accounts are connected.`);
  }

  /** Asks which accounts of the open vault a dapp may see; throws if none. That vault opens them, whichever is open by then. */
  async #choose(chain: Chain): Promise<{ readonly chosen: readonly Offer[]; readonly vault: RemoteVault }> {
    if (!this.#session.isOpen) {
      this.#changed("A dapp asks to connect. Unlock the vault first.");
      throw new KeywardError("locked", "the vault is locked; unlock it, then connect again");
    }
    const { vault } = this.#session;
    const offered = await this.#offered(vault, chain);
    if (offered.length === 0) {
      throw new KeywardError("no-wallet", "the vault has no wallet of this chain; add one first");
    }
    const ticks = offered.map((offer, at) => {
      const { account } = offer;
      const input = h("input", { type: "checkbox", autocomplete: "off" });
      input.checked = at === 0;
      const name = h(
        "span",
        {},
        account.label !== "" && h("strong", {}, account.label, " "),
        address(account.address),
        " ",
        h("span", { class: "path" }, account.path ?? "imported"),
      );
      return { offer, input, row: h("label", { class: "check" }, input, name) };
    });
    const allowed = await this.#approvals.ask({
      title: `Connect ${chain === "solana" ? "Solana" : "EVM"} accounts?`,
      from: location.host,
      sentences: ["The dapp sees the addresses that you choose, and may ask for signatures.", "It can sign nothing by itself."],
      dangers: [],
      refusals: [],
      allow: "Connect",
      body: [],
      // What is not ticked need not be seen.
      details: h("fieldset", { class: "offered" }, h("legend", {}, "Accounts"), ...ticks.map(({ row }) => row)),
    });
    const chosen = allowed ? ticks.filter(({ input }) => input.checked).map(({ offer }) => offer) : [];
    if (chosen.length === 0) {
      throw new KeywardError("rejected", "the person chose no account");
    }
    return { chosen, vault };
  }

  /** The vault's own wallets first, then accounts of the phrase, each address once. */
  async #offered(vault: RemoteVault, chain: Chain): Promise<readonly Offer[]> {
    const held = (await vault.wallets()).filter((wallet) => wallet.chain === chain);
    const derived = await vault.accounts({ family: FAMILY[chain], count: OFFERED }).catch((error: unknown) => {
      if ((error as { code?: unknown }).code === "no-phrase") {
        return [];
      }
      throw error;
    });
    const known = new Set(held.map((wallet) => wallet.address));
    // A held wallet's path may be of another phrase than the first, so it is opened by its address.
    return [
      ...held.map((account) => ({ account, which: account.address })),
      ...derived.flatMap((account) => (known.has(account.address) ? [] : [{ account, which: account.path ?? account.address }])),
    ];
  }

  async #openAll<S extends { readonly address: string; free(): unknown }>(
    offers: readonly Offer[],
    open: (which: string, options: { password?: Uint8Array }) => Promise<S>,
  ): Promise<readonly S[]> {
    const signers: S[] = [];
    try {
      for (const { account, which } of offers) {
        const signer = await openOne(account, (options) => open(which, options));
        signers.push(signer);
        if (signer.address !== account.address) {
          throw new KeywardError("internal", "the vault opened another account than the one that was chosen");
        }
      }
      return signers;
    } catch (error) {
      signers.forEach((signer) => void Promise.resolve(signer.free()).catch(() => undefined));
      throw error;
    }
  }

  #confirmSolana(request: Confirmation): Promise<boolean> {
    const chain = request.kind === "transaction" ? networkOf(request) : undefined;
    return this.#approvals.ask(solanaQuestion(request.review, { from: location.host, address: request.address, chain }));
  }

  #confirmEvm(request: EvmConfirmation): Promise<boolean> {
    const question = evmQuestion(request.review, {
      from: location.host,
      address: request.address,
      chain: `EVM chain ${request.chainId}`,
    });
    const signIn = {
      title: "Sign in?",
      allow: "Sign in",
      sentences: ["Signs you in with this address. Whoever has the signature can show that you signed in."],
    };
    return this.#approvals.ask(request.kind === "sign-in" ? { ...question, ...signIn } : question);
  }

  #watchedSolana(signer: RemoteSolanaSigner): SolanaWallet {
    const asked: Asked = { from: location.host, address: signer.address, chain: undefined };
    return {
      address: signer.address,
      publicKey: signer.publicKey,
      inspect: async (transaction) => this.#noted(await signer.inspect(transaction), (review) => solanaQuestion(review, asked)),
      inspectMessage: async (message) =>
        this.#noted(await signer.inspectMessage(message), (review) => solanaQuestion(review, asked)),
      signMessage: (message) => signer.signMessage(message),
      signTransactionBytes: (wire) => signer.signTransactionBytes(wire),
    };
  }

  #watchedEvm(signer: RemoteEvmSigner): EvmWallet {
    const asked: Asked = { from: location.host, address: signer.address, chain: undefined };
    return {
      address: signer.address,
      inspect: async (unsigned) => this.#noted(await signer.inspect(unsigned), (review) => evmQuestion(review, asked)),
      inspectMessage: async (message) =>
        this.#noted(await signer.inspectMessage(message), (review) => evmQuestion(review, asked)),
      inspectTypedData: async (document) =>
        this.#noted(await signer.inspectTypedData(document), (review) => evmQuestion(review, asked)),
      signMessage: (message) => signer.signMessage(message),
      signTypedData: (document) => signer.signTypedData(document),
      signTransaction: (unsigned) => signer.signTransaction(unsigned),
    };
  }

  /** What the policy refuses never comes to a confirmation; its person sees it all the same. One at a time. */
  #noted<R extends { readonly verdict: { readonly allowed: boolean } }>(review: R, question: (review: R) => Question): R {
    if (!review.verdict.allowed && !this.#refusalShown) {
      this.#refusalShown = true;
      void this.#approvals.ask(question(review)).finally(() => (this.#refusalShown = false));
    }
    return review;
  }
}

/** Where it is sent; of what is only signed, what the dapp says: the bytes name no cluster. */
function networkOf(request: Confirmation & { readonly kind: "transaction" }): string {
  if (request.send) {
    return request.chain;
  }
  const { claimedChain } = request;
  const said = claimedChain === undefined ? "the dapp names none" : `the dapp says: ${claimedChain.replace(/^solana:/, "")}`;
  return `${said}; the signature is good on any cluster`;
}

/** Opens a wallet; one that has a password of its own is asked for it until it fits or its person gives up. */
async function openOne<S>(account: Account, open: (options: { password?: Uint8Array }) => Promise<S>): Promise<S> {
  try {
    return await open({});
  } catch (error) {
    if ((error as { code?: unknown }).code !== "wallet-password-missing") {
      throw error;
    }
  }
  const signer = await walletPassword(account.address, (password) => open({ password }));
  if (signer === undefined) {
    throw new KeywardError("rejected", "the person did not give the wallet's password");
  }
  return signer;
}
