//! Checks what no compiler checks: which crate may name which, where files lie and what they are called, texts that
//! have no place in a commit, lock files and migrations.
//!
//! Each check is a pure function over the tracked files or over `cargo metadata`, with a test that sees it fail.

mod browser;
mod code;
mod decisions;
mod dependencies;
mod layering;
mod links;
mod lockfiles;
mod migrations;
mod naming;
mod policy_header;
mod scripts;
mod text;
mod tree;

use anyhow::bail;

use self::tree::Tree;

/// Files longer than this are named, not refused.
const LONG_FILE_LINES: usize = 600;

/// Something that a check found.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    /// A path below the root, or the name of a crate.
    place: String,
    /// One-based; 0 when the finding is about the whole.
    line: usize,
    what: String,
}

impl Finding {
    fn new(place: impl Into<String>, line: usize, what: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            line,
            what: what.into(),
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.place, self.what),
            line => write!(f, "{}:{line}: {}", self.place, self.what),
        }
    }
}

/// `cargo xtask tidy`.
pub(crate) fn run() -> anyhow::Result<()> {
    let remark = check()?;
    println!("tidy: {remark}");
    Ok(())
}

/// Runs every check.
///
/// # Errors
/// When one of them finds something; all findings were printed then.
pub(crate) fn check() -> anyhow::Result<String> {
    let tree = Tree::read()?;
    let metadata = dependencies::metadata()?;
    let mut findings = dependencies::check(&metadata);
    for check in [
        browser::check,
        layering::check,
        links::check,
        naming::check,
        policy_header::check,
        scripts::check,
        text::check,
        lockfiles::check,
        migrations::check,
        decisions::check,
    ] {
        findings.extend(check(&tree));
    }
    for (path, lines) in long_files(&tree) {
        println!("long: {path} has {lines} lines; think of splitting it");
    }
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(format!("{} files", tree.files().len())),
        count => bail!("{count} findings"),
    }
}

fn long_files(tree: &Tree) -> Vec<(&str, usize)> {
    tree.rust_files()
        .map(|file| (file.path.as_str(), file.text.lines().count()))
        .filter(|(_, lines)| *lines > LONG_FILE_LINES)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_named() {
        let long = "//\n".repeat(LONG_FILE_LINES + 1);
        let tree = Tree::of(&[("a.rs", "//\n"), ("b.rs", &long), ("c.md", &long)]);
        assert_eq!(long_files(&tree), [("b.rs", LONG_FILE_LINES + 1)]);
    }
}
