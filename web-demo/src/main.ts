/** Puts the page together: the wallet, the sample dapp beside it, and what locks the vault. */
import "./style/page.css";
import type { App, Draft } from "./app";
import { wipeDraft } from "./app";
import { Approvals } from "./approval";
import { Connections } from "./connections";
import { mountDapp } from "./dapp/dapp";
import { h } from "./dom";
import { explain } from "./problems";
import { holdsSecrets, keepsDraft, move, titleOf, type Screen } from "./screens";
import { emptySecretFields } from "./secrets";
import { Session, type LockReason } from "./session";
import { mountTheme } from "./theme";
import { importView } from "./views/import";
import { checkView, phraseView } from "./views/phrase";
import { protectView } from "./views/protect";
import { startView } from "./views/start";
import { unlockView } from "./views/unlock";
import { showUnsaved } from "./views/unsaved";
import { remaining, vaultView } from "./views/vault";

/** A page that was out of sight for so long is locked, in milliseconds. */
const HIDDEN_MS = 60_000;
/** How often the worker is told that somebody is there, in milliseconds. */
const ALIVE_EVERY_MS = 5_000;

/** How long before it locks itself that is said, in milliseconds. */
const WARNING_MS = 30_000;

const WHY: Readonly<Record<LockReason, string>> = {
  asked: "The vault is locked.",
  idle: "The vault locked itself because nobody used it.",
  terminated: "The vault was locked and its worker ended.",
};

class Page implements App {
  readonly approvals = new Approvals();
  readonly session = new Session((why) => this.#locked(why));
  readonly connections = new Connections(this.session, this.approvals, (text) => this.#connectionsChanged(text));
  screen: Screen = { at: "start" };
  notice = "";
  draft: Draft | undefined;
  readonly #root: HTMLElement;
  readonly #status: HTMLElement;
  #warned = false;
  #usedAt = Date.now();

  constructor(root: HTMLElement, status: HTMLElement) {
    this.#root = root;
    this.#status = status;
  }

  go(to: Screen): void {
    this.screen = move(this.screen, this.#possible(to));
    if (!keepsDraft(this.screen)) {
      wipeDraft(this.draft);
      this.draft = undefined;
    }
    this.render();
    // On the way in, what is typed first; elsewhere the title, so that it is read out.
    (this.#root.querySelector<HTMLElement>("[data-first]") ?? this.#root.querySelector<HTMLElement>("h2"))?.focus();
    this.#root.scrollIntoView({ block: "nearest" });
  }

  /** The vault's screens are for an open vault; there is no other place to be while one is open. */
  #possible(to: Screen): Screen {
    if (this.session.isOpen) {
      return to.at === "vault" ? to : { at: "vault", part: "accounts" };
    }
    if (to.at === "vault") {
      return this.session.sealed === undefined ? { at: "start" } : { at: "unlock", way: "password" };
    }
    return to;
  }

  render(): void {
    emptySecretFields(this.#root);
    const notice = this.notice;
    this.notice = "";
    this.#root.replaceChildren(
      h("h2", { tabindex: -1, id: "wallet-title" }, titleOf(this.screen)),
      ...(notice === "" ? [] : [h("p", { class: "notice", role: "status" }, notice)]),
      ...this.#view(),
    );
    this.tick();
  }

  announce(text: string): void {
    this.#status.replaceChildren(text);
  }

  async lock(): Promise<void> {
    await this.session.lock();
  }

  /** Shows how long the vault stays open, and locks it when that is over, whatever the worker's own clock says. */
  tick(): void {
    showUnsaved(this);
    if (!this.session.isOpen) {
      if (Date.now() - this.#usedAt >= this.session.idleMinutes * 60_000) {
        this.abandon("because nobody went on");
      }
      return;
    }
    const left = this.session.remainingMs;
    if (left <= 0) {
      void this.session.lock();
      return;
    }
    this.#root.querySelector(".countdown")?.replaceChildren(remaining(left));
    if (left > WARNING_MS) {
      this.#warned = false;
    } else if (!this.#warned) {
      this.#warned = true;
      this.announce("The vault locks itself in half a minute. Press any key to keep it open.");
    }
  }

  /** Somebody is there. */
  used(): void {
    this.#usedAt = Date.now();
  }

  /** Ends what was begun and not yet encrypted: what was made, shown or typed is wiped. */
  abandon(why: string): void {
    if (!holdsSecrets(this.screen)) {
      return;
    }
    this.notice = `What you began was wiped ${why}. Begin again.`;
    this.go({ at: "start" });
  }

  /** Locks and wipes, as a page out of sight must. */
  async leave(): Promise<void> {
    this.abandon("because the page was out of sight");
    await this.session.lock();
  }

  /** Wipes what the page holds and shows, at once. */
  clear(): void {
    emptySecretFields();
    wipeDraft(this.draft);
    this.draft = undefined;
    this.#root.replaceChildren();
    this.session.end();
    // Ending it may have shown another screen.
    this.#root.replaceChildren();
  }

  #view(): readonly Node[] {
    const { screen } = this;
    try {
      switch (screen.at) {
        case "start":
          return startView(this);
        case "phrase":
          return phraseView(this);
        case "check":
          return checkView(this, screen.places);
        case "import":
          return importView(this);
        case "protect":
          return protectView(this);
        case "unlock":
          return unlockView(this, screen.way);
        case "vault":
          return vaultView(this, screen.part);
      }
    } catch (thrown) {
      const { cause, remedy } = explain(thrown);
      return [h("p", { class: "error", role: "alert" }, h("strong", {}, cause), " ", remedy)];
    }
  }

  #locked(why: LockReason): void {
    this.approvals.denyAll();
    document.querySelectorAll("dialog").forEach((dialog) => dialog.close());
    this.connections.disconnectAll();
    emptySecretFields();
    this.notice = WHY[why];
    this.go(this.session.sealed === undefined ? { at: "start" } : { at: "unlock", way: "password" });
  }

  #connectionsChanged(text: string): void {
    this.announce(text);
    if (this.screen.at === "vault" && this.screen.part === "connections" && this.session.isOpen) {
      this.render();
    }
  }
}

/** Everything after which nothing may stay open or typed in. */
function lockOnLeave(page: Page): void {
  let hiddenAt = 0;
  let timer = 0;
  document.addEventListener("visibilitychange", () => {
    window.clearTimeout(timer);
    if (document.visibilityState === "hidden") {
      hiddenAt = Date.now();
      timer = window.setTimeout(() => void page.leave(), HIDDEN_MS);
    } else if (Date.now() - hiddenAt >= HIDDEN_MS) {
      void page.leave();
    }
  });
  window.addEventListener("pagehide", () => {
    page.clear();
  });
  window.addEventListener("beforeunload", (event) => {
    if (page.session.unsaved) {
      event.preventDefault();
    }
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) {
      emptySecretFields();
      page.go({ at: "start" });
    }
  });
}

/** Every use counts at once here; the worker hears of the first one, and of those that follow now and then. */
function keepAliveOnUse(page: Page): void {
  let pausing = false;
  let usedMeanwhile = false;
  const tell = (): void => {
    pausing = true;
    usedMeanwhile = false;
    page.session.vault.keepAlive().catch(() => undefined);
    window.setTimeout(() => {
      pausing = false;
      if (usedMeanwhile && page.session.isOpen) {
        tell();
      }
    }, ALIVE_EVERY_MS);
  };
  const used = (event: Event): void => {
    // What a script makes up is no use.
    if (!event.isTrusted) {
      return;
    }
    page.used();
    if (!page.session.isOpen) {
      return;
    }
    page.session.touch();
    usedMeanwhile = true;
    if (!pausing) {
      tell();
    }
  };
  for (const event of ["pointerdown", "keydown"] as const) {
    document.addEventListener(event, used, { passive: true, capture: true });
  }
}

/** On narrow screens one panel is shown at a time. */
function mountPanels(): void {
  const buttons = document.querySelectorAll<HTMLButtonElement>("[data-panel]");
  for (const button of buttons) {
    button.addEventListener("click", () => {
      document.documentElement.dataset["panel"] = button.dataset["panel"] ?? "wallet";
      buttons.forEach((each) => each.setAttribute("aria-pressed", String(each === button)));
      window.scrollTo({ top: 0 });
    });
  }
}

function start(): void {
  const root = document.getElementById("wallet");
  const status = document.getElementById("announcements");
  const dapp = document.getElementById("dapp");
  const theme = document.getElementById("theme");
  if (root === null || status === null || dapp === null || !(theme instanceof HTMLButtonElement)) {
    throw new Error("the page's own markup is not there");
  }
  const page = new Page(root, status);
  mountTheme(theme);
  mountPanels();
  page.connections.register();
  mountDapp(dapp);
  lockOnLeave(page);
  keepAliveOnUse(page);
  // A file that is dropped beside its place would replace the page.
  for (const event of ["dragover", "drop"] as const) {
    window.addEventListener(event, (dropped) => dropped.preventDefault());
  }
  window.setInterval(() => page.tick(), 1000);
  page.render();
}

start();
