//! Texts that have no place in a commit: unfinished work, tests that are switched off, paths of one machine, hosts of
//! package registries.
//!
//! The patterns are put together from parts so that this file does not find itself.

use super::Finding;
use super::code::without_prose;
use super::tree::{SourceFile, Tree};

/// Work that was left for later, anywhere, comments included.
const UNFINISHED: [&str; 3] = [concat!("FIX", "ME"), concat!("XX", "X:"), concat!("TO", "DO")];

/// Only in code.
const UNFINISHED_CODE: [&str; 4] = [
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
    concat!("#[ign", "ore"),
    concat!("dbg", "!("),
];

/// Folders that exist on one machine only; a path of them begins where no name is before it.
const MACHINE_FOLDERS: [&str; 3] = [
    concat!("/ro", "ot"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
];

/// Hosts of registries: which one a machine asks is its own configuration.
const REGISTRY_HOSTS: [&str; 9] = [
    concat!("registry.", "npmjs.org"),
    concat!("registry.", "yarnpkg.com"),
    concat!("static.", "crates.io"),
    concat!("index.", "crates.io"),
    concat!("//", "crates.io"),
    concat!("files.", "pythonhosted.org"),
    concat!("//", "pypi.org"),
    concat!("deb.", "debian.org"),
    concat!("proxy.", "golang.org"),
];

/// Every line with such a text.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files().iter().flat_map(in_file).collect()
}

fn in_file(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        if let Some(what) = in_line(line) {
            findings.push(Finding::new(&file.path, number, what));
        }
    }
    if file.path.ends_with(".rs") {
        let code = without_prose(&file.text);
        for (number, line) in (1..).zip(code.lines()) {
            if let Some(text) = UNFINISHED_CODE.iter().find(|text| line.contains(**text)) {
                findings.push(Finding::new(
                    &file.path,
                    number,
                    format!("`{text}` is unfinished"),
                ));
            }
        }
    }
    findings
}

fn in_line(line: &str) -> Option<String> {
    if let Some(text) = UNFINISHED.iter().find(|text| has_word(line, text)) {
        return Some(format!("`{text}`: finish it or open an issue"));
    }
    if let Some(folder) = MACHINE_FOLDERS.iter().find(|folder| has_path(line, folder)) {
        return Some(format!("a path of one machine ({folder})"));
    }
    let lower = line.to_ascii_lowercase();
    let host = REGISTRY_HOSTS.iter().find(|host| lower.contains(**host))?;
    Some(format!("the host of a package registry ({host})"))
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default();
        let after = line.get(at + word.len()..).unwrap_or_default();
        !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric)
    })
}

/// Whether an absolute path into `folder` stands in the line: no name before it, and the folder's name ends there.
fn has_path(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default();
        let after = line.get(at + folder.len()..).unwrap_or_default();
        let is_name = |c: char| c.is_alphanumeric() || "_-.$})".contains(c);
        !before.ends_with(is_name) && (folder.ends_with('/') || !after.starts_with(is_name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn unfinished_work_is_found() {
        for text in UNFINISHED {
            assert_eq!(found("README.md", &format!("see {text} here")), 1, "{text}");
        }
        for text in UNFINISHED_CODE {
            assert_eq!(found("core/src/lib.rs", &format!("    {text}")), 1, "{text}");
            assert_eq!(found("core/src/lib.rs", &format!("// {text}")), 0, "{text}");
            assert_eq!(found("README.md", text), 0, "{text}");
        }
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        for text in [
            concat!("/ro", "ot/.cargo"),
            concat!("cd /ro", "ot"),
            concat!("\"/ho", "me/someone\""),
            concat!("=/Us", "ers/someone"),
        ] {
            assert_eq!(found("README.md", text), 1, "{text}");
        }
        for text in ["/rootfs", "size/root", "$HOME/home/x", "/roots", "a/home/b"] {
            assert_eq!(found("README.md", text), 0, "{text}");
        }
    }

    #[test]
    fn hosts_of_registries_are_found() {
        for host in REGISTRY_HOSTS {
            assert_eq!(found("a.json", &format!("https:{host}/x")), 1, "{host}");
        }
        assert_eq!(
            found(
                "Cargo.lock",
                "source = \"registry+https://github.com/rust-lang/crates.io-index\""
            ),
            0
        );
    }
}
