//! Every folder with Node packages has a lock file, with sums but without the addresses they once came from.

use serde_json::Value;

use super::Finding;
use super::tree::Tree;

/// Every package.json with dependencies but no lock file, and every lock file that names addresses or lacks sums.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        match file.name() {
            "package.json" if has_dependencies(&file.text) => {
                let lock = file.path.replace("package.json", "package-lock.json");
                if !tree.files().iter().any(|other| other.path == lock) {
                    findings.push(Finding::new(&file.path, 0, "has dependencies but no lock file"));
                }
            }
            "package-lock.json" => {
                findings.extend(
                    in_lock(&file.text)
                        .into_iter()
                        .map(|what| Finding::new(&file.path, 0, what)),
                );
            }
            "yarn.lock" | "pnpm-lock.yaml" | "bun.lock" => {
                findings.push(Finding::new(&file.path, 0, "the project uses npm alone"));
            }
            _ => {}
        }
    }
    findings
}

fn has_dependencies(manifest: &str) -> bool {
    let manifest: Value = serde_json::from_str(manifest).unwrap_or_default();
    ["dependencies", "devDependencies", "optionalDependencies"]
        .iter()
        .any(|key| manifest[key].as_object().is_some_and(|object| !object.is_empty()))
}

fn in_lock(lock: &str) -> Vec<String> {
    let Ok(lock) = serde_json::from_str::<Value>(lock) else {
        return vec!["is not JSON".into()];
    };
    let Some(packages) = lock["packages"].as_object() else {
        return vec!["has no `packages`: write it with a newer npm".into()];
    };
    let mut findings = Vec::new();
    for (name, package) in packages {
        let resolved = package["resolved"].as_str().unwrap_or_default();
        if resolved.contains("://") {
            findings.push(format!("{name} names the address it came from (`resolved`)"));
        }
        let is_ours = name.is_empty() || package["link"] == true || !name.contains("node_modules/");
        if !is_ours && package["integrity"].is_null() {
            findings.push(format!("{name} has no sum (`integrity`)"));
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
    fn a_missing_lock_file_is_found() {
        let manifest = ("a/package.json", "{\"dependencies\":{\"b\":\"1\"}}");
        let lock = ("a/package-lock.json", "{\"packages\":{\"\":{}}}");
        assert_eq!(found(&[manifest]), 1);
        assert_eq!(found(&[manifest, lock]), 0);
        assert_eq!(found(&[("a/package.json", "{\"private\":true}")]), 0);
        assert_eq!(found(&[("a/yarn.lock", "")]), 1);
    }

    #[test]
    fn addresses_and_missing_sums_are_found() {
        let lock = |package: &str| {
            let text = format!("{{\"packages\":{{\"\":{{}},\"node_modules/b\":{package}}}}}");
            found(&[("package-lock.json", &text)])
        };
        assert_eq!(lock("{\"integrity\":\"sha512-x\"}"), 0);
        assert_eq!(
            lock("{\"integrity\":\"sha512-x\",\"resolved\":\"https://x/b.tgz\"}"),
            1
        );
        assert_eq!(lock("{\"version\":\"1.0.0\"}"), 1);
        assert_eq!(found(&[("package-lock.json", "nonsense")]), 1);
        assert_eq!(found(&[("package-lock.json", "{}")]), 1);
    }
}
