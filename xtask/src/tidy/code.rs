//! Rust source without its comments and texts, so that a check for a name is not misled by prose.
//!
//! A scanner of a few rules, not a parser: it knows comments (nested), strings, raw strings and characters, and tells
//! a character from a lifetime. Lines stay where they are.

/// Replaces comments and the contents of literals by blanks.
pub(super) fn without_prose(source: &str) -> String {
    let mut scanner = Scanner {
        rest: source,
        out: String::with_capacity(source.len()),
    };
    while !scanner.rest.is_empty() {
        scanner.step();
    }
    scanner.out
}

struct Scanner<'a> {
    rest: &'a str,
    out: String,
}

impl Scanner<'_> {
    fn step(&mut self) {
        if self.rest.starts_with("//") {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.blank(end);
        } else if self.rest.starts_with("/*") {
            self.blank(block_comment(self.rest));
        } else if let Some(end) = raw_string(self.rest).filter(|_| !self.inside_word()) {
            self.blank(end);
        } else if self.rest.starts_with('"') {
            self.blank(quoted(self.rest, '"'));
        } else if self.rest.starts_with('\'') && is_character(self.rest) {
            self.blank(quoted(self.rest, '\''));
        } else {
            self.keep();
        }
    }

    fn keep(&mut self) {
        let mut characters = self.rest.chars();
        self.out.extend(characters.next());
        self.rest = characters.as_str();
    }

    fn blank(&mut self, end: usize) {
        let (gone, rest) = self.rest.split_at(end);
        self.out
            .extend(gone.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        self.rest = rest;
    }

    fn inside_word(&self) -> bool {
        self.out.ends_with(|c: char| c.is_alphanumeric() || c == '_')
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(here) = rest.get(at..).filter(|here| !here.is_empty()) {
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The end of `r"…"`, `br#"…"#`, `cr##"…"##` and the like, if one starts here.
fn raw_string(rest: &str) -> Option<usize> {
    let after_prefix = rest.strip_prefix(['b', 'c']).unwrap_or(rest).strip_prefix('r')?;
    let after_hashes = after_prefix.trim_start_matches('#');
    let hashes = "#".repeat(after_prefix.len() - after_hashes.len());
    let body = after_hashes.strip_prefix('"')?;
    let start = rest.len() - body.len();
    let close = format!("\"{hashes}");
    Some(
        body.find(&close)
            .map_or(rest.len(), |end| start + end + close.len()),
    )
}

/// The end of a literal with escapes that starts here with `quote`.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// `'a'` and `'\n'`, but not the lifetime in `&'a str`.
fn is_character(rest: &str) -> bool {
    let mut characters = rest.chars().skip(1);
    match (characters.next(), characters.next()) {
        (Some('\\'), _) => true,
        (Some(_), next) => next == Some('\''),
        _ => false,
    }
}

/// Whether `code` names `word`: alone, or with `word_prefix*` as the beginning of a longer name.
pub(super) fn names(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let (word, open_ended) = match word.strip_suffix('*') {
        Some(prefix) => (prefix, true),
        None => (word, false),
    };
    code.match_indices(word).any(|(at, _)| {
        let before = code.get(..at).unwrap_or_default();
        let after = code.get(at + word.len()..).unwrap_or_default();
        !before.ends_with(is_part) && (open_ended || !after.starts_with(is_part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &str) {
        assert_eq!(without_prose(source), expected, "{source}");
    }

    #[test]
    fn prose_goes_and_code_stays() {
        check("a // b\nc", "a     \nc");
        check("a /* b /* c */ d */ e", "a                   e");
        check("f(\"sqlx::x\", 'y')", "f(         ,    )");
        check("let s = r#\"a \" b\"#; t", "let s =           ; t");
        check("br\"x\" c", "      c");
        check("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)");
        check("'\\'' + \"\\\"\" + x", "     +      + x");
        check("\"two\nlines\" y", "    \n       y");
        check("for_each(\"x\")", "for_each(   )");
        check("var\"", "var ");
    }

    #[test]
    fn names_are_whole_words_unless_open_ended() {
        assert!(names("use sqlx::query;", "sqlx"));
        assert!(!names("use my_sqlx::query;", "sqlx"));
        assert!(!names("use sqlx_core::query;", "sqlx"));
        assert!(names("use sqlx_core::query;", "sqlx*"));
        assert!(names("solana_pubkey::Pubkey", "solana_*"));
        assert!(!names("keyward_core::solana::Message", "solana_*"));
    }
}
