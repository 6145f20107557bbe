//! What files are called, and that each module says what it is for.

use super::Finding;
use super::tree::{SourceFile, Tree};

/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 9] = [
    "utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "shared",
];

/// Every file with a name or a beginning that it should not have.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        let finding = |what: &str| Finding::new(&file.path, 0, what);
        if file.name() == "mod.rs" {
            findings.push(finding("write foo.rs beside foo/, not foo/mod.rs"));
        }
        if file.path.split('/').any(is_empty_name) {
            findings.push(finding("a name that says nothing: name what is inside"));
        }
        if file.path.ends_with(".rs") && wants_header(file) && !file.text.starts_with("//!") {
            findings.push(finding(
                "has no header (`//!`): its purpose, and what it does not do",
            ));
        }
        for leftover in [
            ".orig",
            ".rej",
            ".snap.new",
            ".pending-snap",
            ".db",
            ".db-wal",
            ".db-shm",
        ] {
            if file.path.ends_with(leftover) {
                findings.push(finding("looks like a leftover"));
            }
        }
    }
    findings
}

fn is_empty_name(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part);
    EMPTY_NAMES.contains(&stem)
}

/// Tests beside the code say by their names what they are for.
fn wants_header(file: &SourceFile) -> bool {
    let Some((_, inside)) = file.path.split_once("/src/") else {
        return false;
    };
    file.name() != "tests.rs" && !inside.split('/').any(|folder| folder == "tests")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn bad_names_are_found() {
        for path in [
            "core/src/vault/mod.rs",
            "core/src/utils.rs",
            "tui/src/common/view.rs",
            "custody/src/manager.rs",
            "web-demo/helpers.js",
            "core/src/snapshots/a.snap.new",
            "keyward.db",
        ] {
            assert_eq!(found(path, "//! Header.\n"), 1, "{path}");
        }
        for path in ["core/src/vault.rs", "custody/src/uncommon.rs", "docs/model.md"] {
            assert_eq!(found(path, "//! Header.\n"), 0, "{path}");
        }
    }

    #[test]
    fn a_module_without_header_is_found() {
        assert_eq!(found("core/src/vault.rs", "use x;\n"), 1);
        assert_eq!(found("core/src/vault/tests.rs", "use x;\n"), 0);
        assert_eq!(found("core/src/vault/tests/vectors.rs", "use x;\n"), 0);
        assert_eq!(found("core/src/vault.md", "x\n"), 0);
    }
}
