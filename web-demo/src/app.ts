/** What the views work with. */
import type { Approvals } from "./approval";
import type { Connections } from "./connections";
import { wipe } from "./secrets";
import type { Screen } from "./screens";
import type { Session } from "./session";
import type { KeyFormat, Chain } from "keyward";

/** What a vault will be made from, between being shown or typed and being encrypted. */
export type Draft =
  | { readonly kind: "phrase"; readonly secret: Uint8Array; readonly fresh: boolean }
  | {
      readonly kind: "key";
      readonly secret: Uint8Array;
      readonly password: Uint8Array | undefined;
      readonly format: KeyFormat | undefined;
      readonly chain: Chain | undefined;
    };

export interface App {
  readonly session: Session;
  readonly approvals: Approvals;
  readonly connections: Connections;
  readonly screen: Screen;
  /** Said once to whoever comes to the next screen, such as why the vault was locked. */
  notice: string;
  draft: Draft | undefined;
  go(to: Screen): void;
  /** Tells screen readers. */
  announce(text: string): void;
  /** Locks, and shows the way back in. */
  lock(): Promise<void>;
}

export function wipeDraft(draft: Draft | undefined): void {
  if (draft !== undefined) {
    wipe(draft.secret, draft.kind === "key" ? draft.password : undefined);
  }
}
