//! The page's content security policy is the one that was asked for, to the letter: a directive that a change would
//! loosen shows nowhere else but to an attacker.

use super::Finding;
use super::tree::Tree;

/// Where the page's headers stand.
const FILE: &str = "web-demo/headers.mjs";
const NAME: &str = "CONTENT_SECURITY_POLICY = [";

const EXPECTED: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; \
    connect-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'";

/// A page without that policy.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let files = tree.files();
    if !files.iter().any(|file| file.path.starts_with("web-demo/")) {
        return Vec::new();
    }
    let text = files.iter().find(|file| file.path == FILE);
    let said = text.and_then(|file| policy(&file.text));
    if said.as_deref() == Some(EXPECTED) {
        return Vec::new();
    }
    let what = match said {
        Some(said) => format!("the page's policy must be \"{EXPECTED}\", not \"{said}\""),
        None => format!("names no policy (`{NAME}\"…\", …].join(\"; \")`)"),
    };
    vec![Finding::new(FILE, 0, what)]
}

/// The directives of the array, joined as the page joins them.
fn policy(text: &str) -> Option<String> {
    let (_, rest) = text.split_once(NAME)?;
    let (directives, after) = rest.split_once(']')?;
    after.starts_with(".join(\"; \")").then_some(())?;
    let directives: Vec<&str> = directives.split('"').skip(1).step_by(2).collect();
    Some(directives.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(directives: &str) -> usize {
        let text = format!("export const {NAME}\n{directives}\n].join(\"; \");\n");
        check(&Tree::of(&[(FILE, &text)])).len()
    }

    #[test]
    fn only_the_whole_policy_passes() {
        let directives: Vec<String> = EXPECTED
            .split("; ")
            .map(|text| format!("  \"{text}\","))
            .collect();
        assert_eq!(directives.len(), 10);
        assert_eq!(found(&directives.join("\n")), 0);
        for left_out in 0..directives.len() {
            let mut fewer = directives.clone();
            fewer.remove(left_out);
            assert_eq!(found(&fewer.join("\n")), 1, "{left_out}");
        }
        assert_eq!(found(&directives.join("\n").replace("'wasm-", "'")), 1);
        assert_eq!(found(&directives.join("\n").replace("data:", "data: https:")), 1);
    }

    #[test]
    fn a_page_without_headers_is_found() {
        assert_eq!(check(&Tree::of(&[("web-demo/index.html", "<html>")])).len(), 1);
        assert_eq!(check(&Tree::of(&[("README.md", "")])).len(), 0);
    }
}
