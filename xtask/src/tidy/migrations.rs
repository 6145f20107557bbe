//! Migrations are numbered without gaps, in four digits, and both databases have the same ones.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use super::tree::Tree;

/// Every migration with a wrong name, number or counterpart.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut folders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in tree.files() {
        let Some((folder, name)) = file
            .path
            .strip_prefix("migrations/")
            .and_then(|rest| rest.split_once('/'))
        else {
            continue;
        };
        if !name.ends_with(".sql") {
            continue;
        }
        folders.entry(folder).or_default().insert(name);
        if !file.text.trim_start().starts_with("--") {
            findings.push(Finding::new(
                &file.path,
                0,
                "begins with no comment on what it is for",
            ));
        }
    }
    for (folder, names) in &folders {
        for (expected, name) in (1_u32..).zip(names) {
            if number(name) != Some(expected) {
                let what = format!("should be number {expected:04}, named NNNN_what_it_does.sql");
                findings.push(Finding::new(format!("migrations/{folder}/{name}"), 0, what));
            }
        }
    }
    findings.extend(counterparts(&folders));
    findings
}

fn counterparts(folders: &BTreeMap<&str, BTreeSet<&str>>) -> Vec<Finding> {
    let (Some(sqlite), Some(postgres)) = (folders.get("sqlite"), folders.get("postgres")) else {
        return Vec::new();
    };
    sqlite
        .symmetric_difference(postgres)
        .map(|name| {
            Finding::new(
                format!("migrations/*/{name}"),
                0,
                "is there for one database only",
            )
        })
        .collect()
}

/// `0001_vaults.sql` is 1.
fn number(name: &str) -> Option<u32> {
    let (number, rest) = name.split_once('_')?;
    let words = rest.strip_suffix(".sql")?;
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (number.len() == 4 && !words.is_empty() && words.chars().all(is_plain))
        .then(|| number.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(paths: &[&str]) -> usize {
        let files: Vec<(&str, &str)> = paths.iter().map(|path| (*path, "-- Why.\n")).collect();
        check(&Tree::of(&files)).len()
    }

    #[test]
    fn gaps_doubles_and_wrong_names_are_found() {
        assert_eq!(
            found(&[
                "migrations/sqlite/0001_vaults.sql",
                "migrations/sqlite/0002_audit.sql"
            ]),
            0
        );
        assert_eq!(found(&["migrations/sqlite/0002_audit.sql"]), 1);
        assert_eq!(
            found(&["migrations/sqlite/0001_a.sql", "migrations/sqlite/0003_b.sql"]),
            1
        );
        assert_eq!(
            found(&["migrations/sqlite/0001_a.sql", "migrations/sqlite/0001_b.sql"]),
            1
        );
        assert_eq!(found(&["migrations/sqlite/1_a.sql"]), 1);
        assert_eq!(found(&["migrations/sqlite/0001-A.sql"]), 1);
        assert_eq!(found(&["migrations/README.md"]), 0);
    }

    #[test]
    fn a_migration_of_one_database_only_is_found() {
        let both = ["migrations/sqlite/0001_a.sql", "migrations/postgres/0001_a.sql"];
        assert_eq!(found(&both), 0);
        assert_eq!(
            found(&["migrations/sqlite/0001_a.sql", "migrations/postgres/0001_b.sql"]),
            2
        );
    }

    #[test]
    fn a_migration_without_a_reason_is_found() {
        let tree = Tree::of(&[("migrations/sqlite/0001_a.sql", "create table a (b);\n")]);
        assert_eq!(check(&tree).len(), 1);
    }
}
