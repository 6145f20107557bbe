//! Draws the console's screens for the README, so that the pictures show what the program shows.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use crate::process::{self, cargo, program};
use crate::workspace;

const FOLDER: &str = "docs/pictures";

/// `cargo xtask pictures [--check]`.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    match arguments {
        [] => draw(&workspace::path(FOLDER)),
        [check] if check == "--check" => check_in(&temporary_folder()),
        _ => bail!("`pictures` takes only `--check`"),
    }
}

/// Draws anew elsewhere and compares with what is committed.
///
/// # Errors
/// Names each picture that differs, is missing or is left over.
pub(crate) fn check() -> anyhow::Result<()> {
    check_in(&temporary_folder())
}

fn draw(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    // The whole workspace is named so that features are resolved as for the tests: `run --package` would resolve its
    // own and build hundreds of crates a second time.
    process::run(&mut cargo(&["build", "--workspace", "--example", "pictures"]))?;
    let drawer = std::env::current_exe()?
        .parent()
        .context("this program has no folder")?
        .join("examples")
        .join(workspace::executable("pictures"));
    process::run(program(&drawer, &[]).arg(folder))
}

fn check_in(folder: &Path) -> anyhow::Result<()> {
    let result = draw(folder).and_then(|()| {
        let committed = read(&workspace::path(FOLDER))?;
        let fresh = read(folder)?;
        ensure!(!fresh.is_empty(), "no picture was drawn");
        let differing = differences(&committed, &fresh);
        ensure!(
            differing.is_empty(),
            "run `cargo xtask pictures` and commit: {}",
            differing.join(", ")
        );
        Ok(())
    });
    std::fs::remove_dir_all(folder).ok();
    result
}

fn differences(committed: &BTreeMap<OsString, Vec<u8>>, fresh: &BTreeMap<OsString, Vec<u8>>) -> Vec<String> {
    let changed = fresh
        .iter()
        .filter_map(|(name, bytes)| match committed.get(name) {
            None => Some(format!("{} is new", name.display())),
            Some(old) if old != bytes => Some(format!("{} differs", name.display())),
            Some(_) => None,
        });
    let left_over = committed
        .keys()
        .filter(|name| !fresh.contains_key(*name))
        .map(|name| format!("{} is left over", name.display()));
    changed.chain(left_over).collect()
}

fn read(folder: &Path) -> anyhow::Result<BTreeMap<OsString, Vec<u8>>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))?;
    let mut pictures = BTreeMap::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "svg")
            && let Some(name) = path.file_name()
        {
            pictures.insert(name.to_owned(), std::fs::read(&path)?);
        }
    }
    Ok(pictures)
}

fn temporary_folder() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("keyward-pictures-{}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_difference_is_named() {
        let folder = |pictures: &[(&str, &str)]| {
            pictures
                .iter()
                .map(|(name, bytes)| (OsString::from(name), bytes.as_bytes().to_vec()))
                .collect::<BTreeMap<_, _>>()
        };
        let committed = folder(&[("same.svg", "1"), ("old.svg", "1"), ("gone.svg", "1")]);
        let fresh = folder(&[("same.svg", "1"), ("old.svg", "2"), ("new.svg", "1")]);
        assert_eq!(
            differences(&committed, &fresh),
            ["new.svg is new", "old.svg differs", "gone.svg is left over"]
        );
        assert!(differences(&committed, &committed).is_empty());
    }
}
