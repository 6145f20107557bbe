//! Every test of core runs in browsers too, or its file says that it does not: a test that only the built-in attribute
//! marks is silently absent there.

use super::Finding;
use super::code::without_prose;
use super::tree::{SourceFile, Tree};

/// Under `#[cfg(target_arch = "wasm32")]` it takes the place of the built-in attribute.
pub(super) const BROWSER_TEST: &str = "use wasm_bindgen_test::wasm_bindgen_test as test;";
const CONDITION: &str = "#[cfg(target_arch =";
/// At the head of a file that needs what no page has.
const NOT_IN_BROWSERS: &str = "#![cfg(not(target_arch =";

/// Every file of core whose tests browsers would not see.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust_files()
        .filter(|file| file.path.starts_with("core/"))
        .filter_map(absent)
        .collect()
}

fn absent(file: &SourceFile) -> Option<Finding> {
    let code = without_prose(&file.text);
    let lines: Vec<&str> = code.lines().map(str::trim).collect();
    let first_test = lines.iter().position(|line| *line == "#[test]")?;
    let is_marked = lines
        .windows(2)
        .any(|pair| pair[0].starts_with(CONDITION) && pair[1] == BROWSER_TEST);
    let is_exempt = lines.iter().any(|line| line.starts_with(NOT_IN_BROWSERS));
    (!is_marked && !is_exempt).then(|| {
        let what = format!("has tests that browsers do not see: `{BROWSER_TEST}` for wasm32");
        Finding::new(&file.path, first_test + 1, what)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_browsers_do_not_see_are_found() {
        let test = "#[test]\nfn f() {}\n";
        let marked = format!("#[cfg(target_arch = \"wasm32\")]\n    {BROWSER_TEST}\n{test}");
        let unconditional = format!("{BROWSER_TEST}\n{test}");
        let exempt = format!("#![cfg(not(target_arch = \"wasm32\"))]\n{test}");
        let prose = format!("//! #[cfg(target_arch = \"wasm32\")]\n//! {BROWSER_TEST}\n{test}");
        for (path, text, expected) in [
            ("core/src/path/tests.rs", test, 1),
            ("core/tests/x.rs", test, 1),
            ("core/src/path/tests.rs", &marked, 0),
            ("core/src/path/tests.rs", &exempt, 0),
            ("core/src/path/tests.rs", &unconditional, 1),
            ("core/src/path/tests.rs", &prose, 1),
            ("core/src/path.rs", "fn f() {}\n", 0),
            ("custody/src/x.rs", test, 0),
        ] {
            assert_eq!(
                check(&Tree::of(&[(path, text)])).len(),
                expected,
                "{path}: {text}"
            );
        }
    }
}
