/** Where in the wallet its person is, as data. No secret is ever part of it. */

export type Screen =
  | { readonly at: "start" }
  /** A new phrase is shown to be written down. */
  | { readonly at: "phrase" }
  /** Some of its words are asked for, by their places from 0. */
  | { readonly at: "check"; readonly places: readonly number[] }
  | { readonly at: "import" }
  /** A password is chosen for what was made or imported. */
  | { readonly at: "protect" }
  | { readonly at: "unlock"; readonly way: "password" | "recovery" }
  | { readonly at: "vault"; readonly part: "accounts" | "connections" | "manage" };

type Place = Screen["at"];

/** Which places can be reached from which. To `start` there is always a way. */
const MOVES: Readonly<Record<Place, readonly Place[]>> = {
  start: ["phrase", "import", "unlock"],
  phrase: ["check"],
  check: ["phrase", "protect"],
  import: ["protect"],
  protect: ["phrase", "import", "vault"],
  unlock: ["unlock", "vault"],
  vault: ["vault", "unlock"],
};

/** Where a wish to go somewhere leads: there, or nowhere if there is no such way. */
export function move(from: Screen, to: Screen): Screen {
  return to.at === "start" || MOVES[from.at].includes(to.at) ? to : from;
}

/** How the page is named while it shows a screen. */
export function titleOf(screen: Screen): string {
  switch (screen.at) {
    case "start":
      return "Your vault";
    case "phrase":
      return "Write down your phrase";
    case "check":
      return "Check what you wrote";
    case "import":
      return "Import a phrase or key";
    case "protect":
      return "Choose a password";
    case "unlock":
      return "Unlock your vault";
    case "vault":
      return { accounts: "Accounts", connections: "Connections", manage: "Manage the vault" }[screen.part];
  }
}

/** Where a phrase's draft is still needed; it is wiped everywhere else. */
export function keepsDraft(screen: Screen): boolean {
  return screen.at === "phrase" || screen.at === "check" || screen.at === "protect";
}

/** Where secrets are shown or typed that are not in a vault yet; nobody stays there for long without going on. */
export function holdsSecrets(screen: Screen): boolean {
  return keepsDraft(screen) || screen.at === "import";
}
