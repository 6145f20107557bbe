//! What the compiler of TypeScript lets pass: silenced errors, `any`, tests that are switched off, text made into markup
//! or code, and lines that nobody reads to their end.

use super::Finding;
use super::tree::{SourceFile, Tree};

const ENDINGS: [&str; 7] = [".ts", ".mts", ".js", ".mjs", ".cjs", ".css", ".html"];

/// The patterns are put together from parts so that a search for them does not find this file.
const REFUSED: [(&str, &str); 12] = [
    (concat!("@ts-", "ignore"), "silences the compiler"),
    (concat!("@ts-", "nocheck"), "silences the compiler"),
    (concat!("eslint-", "disable"), "silences a check that nobody runs"),
    (concat!(": a", "ny"), "has no type"),
    (concat!("as a", "ny"), "has no type"),
    (concat!("<a", "ny>"), "has no type"),
    (concat!("test.", "only("), "leaves the other tests out"),
    (concat!("test.", "skip("), "is left out"),
    (concat!("test.", "todo("), "is unfinished"),
    (concat!("debug", "ger;"), "is left over"),
    (concat!(".inner", "HTML"), "makes markup of text"),
    (concat!("new Fun", "ction("), "makes code of text"),
];

/// A few more than the width of ours, for the long texts of tests.
const WIDEST_LINE: usize = 160;
/// An icon or a key is one word; it cannot be broken.
const UNBREAKABLE_WORD: usize = 100;

/// Every such line in a script, style or page.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files()
        .iter()
        .filter(|file| ENDINGS.iter().any(|ending| file.path.ends_with(ending)))
        .flat_map(in_file)
        .collect()
}

fn in_file(file: &SourceFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        let finding = |what| Finding::new(&file.path, number, what);
        if !is_prose(line) {
            let refused = REFUSED.iter().find(|(text, _)| has_whole(line, text));
            findings.extend(refused.map(|(text, why)| finding(format!("`{text}` {why}"))));
        }
        let width = line.chars().count();
        let is_breakable = line
            .split(|c: char| c.is_whitespace() || c == ',')
            .all(|word| word.chars().count() < UNBREAKABLE_WORD);
        if width > WIDEST_LINE && is_breakable {
            findings.push(finding(format!("{width} characters wide: at most {WIDEST_LINE}")));
        }
    }
    findings
}

fn is_prose(line: &str) -> bool {
    let line = line.trim_start();
    !line.contains("@ts-") && (line.starts_with("//") || line.starts_with('*') || line.starts_with("/*"))
}

/// Whether the text stands in the line and ends there, if it ends with a letter.
fn has_whole(line: &str, text: &str) -> bool {
    line.match_indices(text).any(|(at, _)| {
        let after = line.get(at + text.len()..).unwrap_or_default();
        !text.ends_with(char::is_alphanumeric) || !after.starts_with(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn what_silences_or_hides_is_found() {
        for (text, _) in REFUSED {
            let line = format!("const x {text} = 1;");
            assert_eq!(found("wasm/js/src/a.ts", &line), 1, "{text}");
            assert_eq!(found("web-demo/tests/a.test.mjs", &line), 1, "{text}");
            assert_eq!(found("wasm/src/a.rs", &line), 0, "{text}");
        }
        assert_eq!(found("a.ts", concat!("// @ts-", "ignore")), 1);
        for text in [
            "// as any other",
            " * : any time",
            "let x: anyone;",
            "x.textContent = y;",
        ] {
            assert_eq!(found("a.ts", text), 0, "{text}");
        }
    }

    #[test]
    fn wide_lines_are_found_unless_they_are_one_word() {
        let words = "word ".repeat(40);
        assert_eq!(found("a.css", &words), 1);
        assert_eq!(found("a.md", &words), 0);
        assert_eq!(
            found("a.ts", &format!("const icon = \"{}\";", "A".repeat(400))),
            0
        );
        assert_eq!(found("a.ts", &"a".repeat(80)), 0);
    }
}
