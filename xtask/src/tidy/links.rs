//! Links between our own pages and to our pictures lead somewhere. Addresses elsewhere are not looked up.

use std::collections::BTreeSet;

use super::Finding;
use super::tree::Tree;

/// Every relative link in a Markdown page to a file or folder that is not in the tree.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let known: BTreeSet<&str> = tree
        .files()
        .iter()
        .flat_map(|file| with_folders(&file.path))
        .collect();
    let mut findings = Vec::new();
    for page in tree.files().iter().filter(|file| file.path.ends_with(".md")) {
        for (number, line) in (1..).zip(page.text.lines()) {
            for target in targets(line) {
                let path = resolve(&page.path, target);
                if path.as_deref().is_none_or(|path| !known.contains(path)) {
                    findings.push(Finding::new(
                        &page.path,
                        number,
                        format!("leads nowhere: {target}"),
                    ));
                }
            }
        }
    }
    findings
}

/// A file and every folder above it, the root as an empty path.
fn with_folders(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| {
        (!path.is_empty()).then(|| path.rsplit_once('/').map_or("", |(folder, _)| folder))
    })
}

/// The relative targets of `[text](target)` and `![text](target "title")`, without their anchors.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', ' ']).next()?;
        let path = target.split('#').next()?;
        let is_ours = !path.is_empty() && !target.contains("://") && !target.starts_with("mailto:");
        is_ours.then_some(path)
    })
}

/// The path from the root; nothing for one that leaves it.
fn resolve(page: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(page: &str, text: &str) -> usize {
        let tree = Tree::of(&[
            (page, text),
            ("README.md", ""),
            ("docs/cli.md", ""),
            ("docs/pictures/a.svg", ""),
        ]);
        check(&tree).len()
    }

    #[test]
    fn links_that_lead_somewhere_are_left_alone() {
        for (page, text) in [
            (
                "A.md",
                "see [cli](docs/cli.md#codes), ![a](docs/pictures/a.svg \"title\") and [all](docs/)",
            ),
            (
                "docs/b.md",
                "[up](../README.md) [beside](cli.md) [pictures](./pictures)",
            ),
            (
                "A.md",
                "[x](https://example.org/x.md) [y](#here) [z](mailto:a@example.org) (docs/none.md)",
            ),
        ] {
            assert_eq!(found(page, text), 0, "{text}");
        }
    }

    #[test]
    fn dead_links_are_found() {
        for (page, text) in [
            ("A.md", "[cli](docs/clip.md)"),
            ("docs/b.md", "![a](docs/pictures/a.svg)"),
            ("A.md", "[out](../README.md)"),
        ] {
            assert_eq!(found(page, text), 1, "{text}");
        }
    }
}
