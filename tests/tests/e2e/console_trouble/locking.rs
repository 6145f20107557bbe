//! Ctrl-L locks at once, wherever one is; so does idleness. Nothing of the vault remains on the screen.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use keyward_core::amount::Lamports;
use keyward_tests::node::TestNode;
use keyward_tests::pty::{DEFAULT_BOUND, Key, Pty, Screen};

use super::{leave, nothing_is_lost, open_unlocked, squeezed, unlock};
use crate::vault::{FIRST_ADDRESS, TestVault};

const WALLETS: u32 = 25;
/// A stranger's address, typed and then locked away from.
const STRANGER: &str = "4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY";

/// Where one can be.
pub(super) struct Place {
    pub(super) name: &'static str,
    /// What is typed on the way there from the list, and what then shows.
    steps: &'static [(&'static str, &'static str)],
}

impl Place {
    const fn new(name: &'static str, steps: &'static [(&'static str, &'static str)]) -> Self {
        Self { name, steps }
    }

    /// What shows that one is there.
    pub(super) fn shows(&self) -> &'static str {
        self.steps.last().map_or("Wallets 25", |(_, shows)| shows)
    }

    /// Goes there from the list.
    pub(super) fn reach(&self, console: &Pty) -> anyhow::Result<()> {
        for (keys, shows) in self.steps {
            console.type_text(keys)?;
            console.wait_for(self.name, DEFAULT_BOUND, |screen| screen.contains(shows))?;
        }
        Ok(())
    }
}

/// Arrow down, End.
const DOWN: &str = "\u{1b}[B";
const END: &str = "\u{1b}[F";

pub(super) const PLACES: [Place; 18] = [
    Place::new("the list", &[]),
    Place::new("the filter", &[("/bots", "No wallet matches")]),
    Place::new(
        "the marked",
        &[(" ", "1 marked"), (DOWN, "Wallets"), ("a", "remove tags")],
    ),
    Place::new("a label", &[("etreasu", "treasu")]),
    Place::new("tags", &[("tbots", "names, separated by")]),
    Place::new("the number to derive", &[("d12", "Derive wallets")]),
    Place::new("the help", &[("?", "Keys of this screen")]),
    Place::new("the palette", &[(":lock", "Commands")]),
    Place::new("a wallet", &[("\r", "scan to pay")]),
    Place::new(
        "a wallet's label",
        &[("\r", "scan to pay"), ("etreasu", "treasu")],
    ),
    Place::new(
        "a transfer to a label",
        &[("sbot", "no wallet and no contact has such a label")],
    ),
    Place::new(
        "a transfer half typed",
        &[
            ("s", "Send"),
            (STRANGER, "neither yours nor in the address book"),
            ("\t0.2", "= 0.200000000 SOL"),
        ],
    ),
    Place::new("the audit log", &[("2", "✓ done")]),
    Place::new("an audit entry", &[("2", "✓ done"), ("\r", "actor")]),
    Place::new("the settings", &[("4", "RPC endpoint")]),
    Place::new(
        "an endpoint half typed",
        &[
            ("4", "RPC endpoint"),
            ("\rhttp://127.0.0.1:1", "http://127.0.0.1:1"),
        ],
    ),
    Place::new(
        "a new password",
        &[
            ("4", "RPC endpoint"),
            (END, "RPC endpoint"),
            ("\rhalf a password", "••••"),
        ],
    ),
    Place::new("the jobs", &[("3", "Jobs")]),
];

/// Every address of the vault, in full.
fn addresses(vault: &TestVault) -> anyhow::Result<Vec<String>> {
    let listed = vault.cli("wallets list --limit 1000 --json")?.success()?.json()?;
    let rows = listed["wallets"].as_array().context("no wallets")?;
    let found: Option<Vec<String>> = rows
        .iter()
        .map(|row| Some(row["address"].as_str()?.to_owned()))
        .collect();
    found.context("a wallet without its address")
}

/// No piece of an address as lists and pages show them.
fn shows_none_of(screen: &Screen, addresses: &[String]) -> anyhow::Result<()> {
    let text = squeezed(screen);
    for address in addresses {
        let (head, tail) = (&address[..8], &address[address.len() - 6..]);
        ensure!(
            !text.contains(head) && !text.contains(tail),
            "{address} is still shown\n{screen}"
        );
    }
    Ok(())
}

fn lock_by_key(console: &Pty) -> anyhow::Result<Screen> {
    console.press(Key::Ctrl('l'))?;
    console.wait_for("the locked vault", DEFAULT_BOUND, |screen| {
        screen.contains("The vault is locked") && screen.contains("Password")
    })
}

#[test]
fn ctrl_l_locks_at_once_wherever_one_is() -> anyhow::Result<()> {
    let vault = TestVault::new(WALLETS)?;
    let mut known = addresses(&vault)?;
    assert_eq!(known.len(), WALLETS as usize);
    known.push(STRANGER.to_owned());
    let console = open_unlocked(&vault, &[])?;
    // The search would find them: here they are.
    ensure!(
        shows_none_of(&console.screen(), &known).is_err(),
        "no address was shown to begin with"
    );
    for place in PLACES {
        let name = place.name;
        place.reach(&console)?;
        let screen = lock_by_key(&console).with_context(|| format!("locking from {name}"))?;
        shows_none_of(&screen, &known).with_context(|| format!("locked from {name}"))?;
        for left in ["treasu", "half a", "0.2", "http://"] {
            ensure!(
                !screen.contains(left),
                "{left:?} of {name} is still shown\n{screen}"
            );
        }
        unlock(&console)?;
    }
    // The terminal is asked nothing (here: where its cursor is): a slow answer must not stand in the way of a lock.
    ensure!(
        !console.has_drawn(b"\x1b[6n"),
        "the terminal was asked for its cursor"
    );
    leave(console)?;
    nothing_is_lost(&vault, WALLETS.into())
}

#[test]
fn ctrl_l_locks_from_a_review_and_nothing_is_signed() -> anyhow::Result<()> {
    let node = TestNode::start()?;
    let vault = TestVault::new(WALLETS)?;
    let known = addresses(&vault)?;
    node.fund_blocking(&FIRST_ADDRESS.parse()?, Lamports::new(3_000_000_000))?;
    let console = open_unlocked(&vault, &["--rpc", &node.rpc_url])?;
    for keys in ["", "y0."] {
        console.type_text("s")?;
        console.wait_for_text("Nothing is signed before you say so")?;
        console.type_text(STRANGER)?;
        console.type_text("\t0.25\r")?;
        console.wait_for_text("Review: send")?;
        console.wait_for_text("sign and send")?;
        console.type_text(keys)?;
        if !keys.is_empty() {
            console.wait_for_text("type the amount to sign")?;
        }
        let screen = lock_by_key(&console)?;
        shows_none_of(&screen, &known)?;
        ensure!(!screen.contains("0.25"), "the amount is still shown\n{screen}");
        unlock(&console)?;
    }
    leave(console)?;
    let audit = vault.cli("audit list --json")?.success()?;
    ensure!(
        !audit.stdout.contains("sign-transaction"),
        "something was signed\n{audit}"
    );
    nothing_is_lost(&vault, WALLETS.into())
}

#[test]
fn an_idle_minute_locks_a_half_typed_transfer_away() -> anyhow::Result<()> {
    let vault = TestVault::new(WALLETS)?;
    let known = addresses(&vault)?;
    vault.cli("config set lock_after_minutes 1")?.success()?;
    let console = open_unlocked(&vault, &[])?;
    console.wait_for_text("unlocked, locks in 5")?;
    console.type_text("s")?;
    console.type_text(FIRST_ADDRESS)?;
    console.type_text("\t0.25")?;
    console.wait_for_text("= 0.250000000 SOL")?;
    // The last seconds are counted down where they can be seen.
    console.wait_for_text("locks in 10 s")?;
    let screen = console.wait_for("the lock", Duration::from_secs(70), |screen| {
        screen.contains("Locked after 1 idle minute.")
    })?;
    ensure!(screen.contains("The vault is locked"), "{screen}");
    shows_none_of(&screen, &known)?;
    ensure!(!screen.contains("0.25"), "the amount is still shown\n{screen}");
    // What is typed now goes into the password's field, not into the form.
    unlock(&console)?;
    leave(console)?;
    nothing_is_lost(&vault, WALLETS.into())
}
