//! Decision records are numbered without gaps, in four digits, and each says its number at its head.

use super::Finding;
use super::tree::Tree;

/// Every decision record with a wrong name, number or head.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut records: Vec<_> = tree
        .files()
        .iter()
        .filter_map(|file| Some((file.path.strip_prefix("docs/decisions/")?, file)))
        .filter(|(name, _)| name.starts_with(|c: char| c.is_ascii_digit()))
        .collect();
    records.sort_by_key(|(name, _)| *name);
    let mut findings = Vec::new();
    for (expected, (name, file)) in (1_u32..).zip(records) {
        let is_named = name.starts_with(&format!("{expected:04}-")) && name.ends_with(".md");
        if !is_named {
            let what = format!("should be number {expected:04}, named NNNN-what-it-says.md");
            findings.push(Finding::new(&file.path, 0, what));
        } else if !file.text.starts_with(&format!("# {expected:04}: ")) {
            findings.push(Finding::new(
                &file.path,
                1,
                format!("should begin with `# {expected:04}: `"),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> usize {
        check(&Tree::of(files)).len()
    }

    #[test]
    fn a_number_given_twice_or_left_out_is_found() {
        let first = ("docs/decisions/0001-a.md", "# 0001: A\n");
        assert_eq!(found(&[first, ("docs/decisions/0002-b.md", "# 0002: B\n")]), 0);
        assert_eq!(found(&[first, ("docs/decisions/0001-b.md", "# 0001: B\n")]), 1);
        assert_eq!(found(&[first, ("docs/decisions/0003-b.md", "# 0003: B\n")]), 1);
        assert_eq!(found(&[("docs/decisions/0001-a.md", "# 0002: A\n")]), 1);
        assert_eq!(found(&[("docs/decisions/0001-a.txt", "# 0001: A\n")]), 1);
        assert_eq!(found(&[first, ("docs/decisions/README.md", "Why.\n")]), 0);
    }
}
