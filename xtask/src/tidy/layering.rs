//! Which folder may name what: the database only in the store, JSON-RPC only in the chain, the terminal only in the
//! console, unsafe code in the one module that locks memory. `cargo metadata` sees crates; this sees modules.

use super::Finding;
use super::browser::BROWSER_TEST;
use super::code::{names, without_prose};
use super::tree::Tree;

/// A name, where it may stand (path prefixes), and what it stands for.
struct Rule {
    names: &'static [&'static str],
    places: &'static [&'static str],
    what: &'static str,
}

const RULES: [Rule; 5] = [
    Rule {
        names: &["sqlx"],
        places: &[
            "custody/src/store.rs",
            "custody/src/store/",
            "custody/tests/",
            "tests/",
        ],
        what: "the database (only custody/src/store knows it)",
    },
    Rule {
        names: &["solana_*", "spl_*"],
        places: &["custody/src/chain.rs", "custody/src/chain/", "tests/"],
        what: "the Solana crates (only custody/src/chain knows them)",
    },
    Rule {
        names: &["ratatui*", "crossterm"],
        places: &["tui/"],
        what: "the terminal (only tui knows it)",
    },
    Rule {
        names: &["wasm_bindgen*", "js_sys", "web_sys"],
        places: &["wasm/"],
        what: "the browser (only wasm knows it)",
    },
    Rule {
        names: &["portable_pty", "vt100"],
        places: &["tests/"],
        what: "the tests' terminal (only tests knows it)",
    },
];

/// Where unsafe code may stand.
const UNSAFE_PLACE: &str = "custody/src/memory/";

/// The roots of what is built by us. Custody's, which has [`UNSAFE_PLACE`], falls under the workspace's `deny`.
const FORBIDDING_ROOTS: [&str; 6] = [
    "core/src/lib.rs",
    "tui/src/lib.rs",
    "tui/src/main.rs",
    "wasm/src/lib.rs",
    "tests/src/lib.rs",
    "xtask/src/main.rs",
];

/// Every name in a place where it should not stand.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust_files() {
        let code = without_prose(&file.text);
        for rule in RULES.iter().filter(|rule| !may_stand(rule, &file.path)) {
            for (number, line) in (1..).zip(code.lines()) {
                // Core's tests run in browsers too; `browser.rs` sees to it.
                if file.path.starts_with("core/") && line.trim() == BROWSER_TEST {
                    continue;
                }
                if rule.names.iter().any(|name| is_path(line, name)) {
                    let what = format!("names {}", rule.what);
                    findings.push(Finding::new(&file.path, number, what));
                }
            }
        }
        if !file.path.starts_with(UNSAFE_PLACE) {
            for (number, line) in (1..).zip(code.lines()) {
                if names(line, "unsafe") {
                    let what = format!("unsafe code (only {UNSAFE_PLACE} has it)");
                    findings.push(Finding::new(&file.path, number, what));
                }
            }
        }
    }
    findings.extend(core_without_std(tree));
    findings.extend(roots_without_forbid(tree));
    findings
}

fn may_stand(rule: &Rule, path: &str) -> bool {
    rule.places.iter().any(|place| path.starts_with(place))
}

/// A crate is named as the beginning of a path or after `use` and `extern crate`; a variable of that name is not one.
fn is_path(line: &str, name: &str) -> bool {
    let declared = ["use ", "extern crate "].iter().any(|start| {
        line.trim_start()
            .trim_start_matches("pub ")
            .strip_prefix(start)
            .is_some_and(|rest| {
                let first = rest.trim_start_matches("::").split([':', ';', ' ']).next();
                first.is_some_and(|first| names(first, name))
            })
    });
    declared
        || line.match_indices("::").any(|(at, _)| {
            let before = line.get(..at).unwrap_or_default();
            let start = before
                .rfind(|c: char| !(c.is_alphanumeric() || c == '_'))
                .map_or(0, |at| at + 1);
            let head = before.get(start..).unwrap_or_default();
            let is_first = !before.get(..start).unwrap_or_default().ends_with("::");
            is_first && names(head, name)
        })
}

fn roots_without_forbid(tree: &Tree) -> Vec<Finding> {
    tree.rust_files()
        .filter(|file| FORBIDDING_ROOTS.contains(&file.path.as_str()))
        .filter(|file| {
            !file
                .text
                .lines()
                .any(|line| line.trim() == "#![forbid(unsafe_code)]")
        })
        .map(|file| Finding::new(&file.path, 0, "must forbid unsafe code: #![forbid(unsafe_code)]"))
        .collect()
}

fn core_without_std(tree: &Tree) -> Vec<Finding> {
    tree.rust_files()
        .filter(|file| file.path == "core/src/lib.rs")
        .filter(|file| !file.text.lines().any(|line| line.trim() == "#![no_std]"))
        .map(|file| Finding::new(&file.path, 0, "core must be no_std"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn each_name_is_found_outside_its_place_and_not_inside() {
        for (name, inside, outside) in [
            (
                "sqlx::query()",
                "custody/src/store/sqlite.rs",
                "custody/src/audit.rs",
            ),
            ("use sqlx::Row;", "custody/src/store.rs", "tui/src/cli.rs"),
            ("use sqlx;", "tests/tests/e2e.rs", "custody/src/lib.rs"),
            (
                "solana_rpc_client::x()",
                "custody/src/chain/rpc.rs",
                "custody/src/transfer.rs",
            ),
            (
                "use solana_pubkey::Pubkey;",
                "custody/src/chain.rs",
                "core/src/solana.rs",
            ),
            (
                "use ratatui::Frame;",
                "tui/src/console/view.rs",
                "custody/src/lib.rs",
            ),
            (
                "crossterm::event::read()",
                "tui/src/console.rs",
                "tests/tests/e2e.rs",
            ),
            (
                "use wasm_bindgen::prelude::*;",
                "wasm/src/address.rs",
                "core/src/lib/x.rs",
            ),
            ("vt100::Parser::new()", "tests/src/pty.rs", "tui/tests/x.rs"),
            (
                "pub use ::sqlx::Row;",
                "custody/src/store.rs",
                "custody/src/wallets.rs",
            ),
        ] {
            assert_eq!(found(inside, name), 0, "{name} in {inside}");
            assert_eq!(found(outside, name), 1, "{name} in {outside}");
        }
    }

    #[test]
    fn core_names_the_browser_for_its_tests_alone() {
        let line = "    use wasm_bindgen_test::wasm_bindgen_test as test;";
        assert_eq!(found("core/src/path/tests.rs", line), 0);
        assert_eq!(found("custody/src/vault/tests.rs", line), 1);
        assert_eq!(
            found("core/src/path/tests.rs", "use wasm_bindgen_test::console_log;"),
            1
        );
    }

    #[test]
    fn prose_and_our_own_modules_are_not_mistaken() {
        for text in [
            "//! sqlx::query is not used here",
            "let name = \"sqlx::x\";",
            "use keyward_core::solana::Message;",
            "use crate::sqlx::x;",
            "let sqlx = 1;",
        ] {
            assert_eq!(found("custody/src/lib.rs", text), 0, "{text}");
        }
    }

    #[test]
    fn core_with_std_is_found() {
        let forbid = "#![forbid(unsafe_code)]\n";
        assert_eq!(found("core/src/lib.rs", &format!("//! Core.\n{forbid}")), 1);
        assert_eq!(
            found("core/src/lib.rs", &format!("//! Core.\n{forbid}#![no_std]\n")),
            0
        );
    }

    #[test]
    fn unsafe_code_stands_in_one_place_and_is_forbidden_elsewhere() {
        let code = "fn f() { unsafe { g() } }\n";
        assert_eq!(found("custody/src/memory/page.rs", code), 0);
        for place in ["custody/src/vault.rs", "tests/tests/e2e.rs", "core/src/x.rs"] {
            assert_eq!(found(place, code), 1, "{place}");
            assert_eq!(found(place, "// unsafe\n#![forbid(unsafe_code)]\n"), 0, "{place}");
        }
        for root in FORBIDDING_ROOTS.iter().filter(|root| !root.starts_with("core")) {
            assert_eq!(found(root, "fn f() {}\n"), 1, "{root}");
            assert_eq!(found(root, "#![forbid(unsafe_code)]\nfn f() {}\n"), 0, "{root}");
        }
    }
}
