//! Which crate may depend on which: `tui -> custody -> core <- wasm`, `tests` on all, nothing on `xtask`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde_json::Value;

use super::Finding;
use crate::process::{self, cargo};

/// The crates of the workspace that each crate may depend on.
const ALLOWED: [(&str, &[&str]); 6] = [
    ("keyward-core", &[]),
    ("keyward-custody", &["keyward-core"]),
    ("keyward", &["keyward-custody", "keyward-core"]),
    ("keyward-wasm", &["keyward-core"]),
    (
        "keyward-tests",
        &["keyward-core", "keyward-custody", "keyward", "keyward-wasm"],
    ),
    ("xtask", &[]),
];

/// Crates from elsewhere that only some of ours may depend on; `*` stands for the rest of a name. Benchmarks and
/// tests may do as their crate may, and the tests' crate stands where it has to look behind a door.
const RESERVED: [(&str, &[&str]); 11] = [
    ("sqlx*", &["keyward-custody", "keyward-tests"]),
    ("solana-*", &["keyward-custody", "keyward-tests"]),
    ("spl-*", &["keyward-custody", "keyward-tests"]),
    ("tokio*", &["keyward-custody", "keyward", "keyward-tests"]),
    ("tracing*", &["keyward-custody", "keyward", "keyward-tests"]),
    ("ratatui*", &["keyward"]),
    ("crossterm", &["keyward"]),
    ("clap*", &["keyward"]),
    ("wasm-bindgen*", &["keyward-wasm"]),
    ("js-sys", &["keyward-wasm"]),
    ("web-sys", &["keyward-wasm"]),
];

/// What must be nowhere below core, however far down: clocks, randomness, input and output, logs, tasks.
const NOT_BELOW_CORE: [&str; 16] = [
    "tokio*",
    "sqlx*",
    "ratatui*",
    "crossterm",
    "clap*",
    "anyhow",
    "getrandom",
    "rand",
    "log",
    "tracing*",
    "chrono",
    "time",
    "libc",
    "mio",
    "reqwest",
    "solana-*",
];

/// What `cargo metadata` says.
pub(super) fn metadata() -> anyhow::Result<Value> {
    let said = process::output(&mut cargo(&["metadata", "--format-version", "1", "--locked"]))?;
    serde_json::from_str(&said).context("cargo metadata printed no JSON")
}

/// Every edge that should not be.
pub(super) fn check(metadata: &Value) -> Vec<Finding> {
    let mut findings = direct(metadata);
    findings.extend(lints(metadata));
    findings.extend(below_core(metadata));
    findings
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().into_iter().flatten()
}

/// Packages of the workspace have no source.
fn members(metadata: &Value) -> impl Iterator<Item = &Value> {
    packages(metadata).filter(|package| package["source"].is_null())
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn direct(metadata: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    let ours: BTreeSet<&str> = members(metadata).map(|package| text(package, "name")).collect();
    for package in members(metadata) {
        let name = text(package, "name");
        let Some((_, allowed)) = ALLOWED.iter().find(|(member, _)| *member == name) else {
            findings.push(Finding::new(
                name,
                0,
                "is a crate that xtask/src/tidy does not know",
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = text(dependency, "name");
            if ours.contains(on) && !allowed.contains(&on) {
                findings.push(Finding::new(name, 0, format!("must not depend on {on}")));
            }
            let reserved = RESERVED.iter().find(|(pattern, _)| matches(on, pattern));
            if let Some((_, only)) = reserved
                && !only.contains(&name)
                && !is_test_runner_of_core(name, dependency)
            {
                let what = format!("must not depend on {on}: only {} may", only.join(", "));
                findings.push(Finding::new(name, 0, what));
            }
        }
    }
    findings
}

/// Core's tests run in browsers too; nothing but its tests may know of them.
fn is_test_runner_of_core(name: &str, dependency: &Value) -> bool {
    name == "keyward-core"
        && text(dependency, "name") == "wasm-bindgen-test"
        && text(dependency, "kind") == "dev"
}

/// Every crate takes the lints of the workspace; without its `[lints]` table it would have none. Metadata does not
/// tell, so the manifest is read for it.
fn lints(metadata: &Value) -> Vec<Finding> {
    members(metadata)
        .filter_map(|package| {
            let manifest = std::fs::read_to_string(text(package, "manifest_path")).ok()?;
            (!takes_workspace_lints(&manifest))
                .then(|| Finding::new(text(package, "name"), 0, "has no `[lints] workspace = true`"))
        })
        .collect()
}

fn takes_workspace_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim);
    lines.any(|line| line == "[lints]") && lines.next() == Some("workspace = true")
}

/// Follows core's ordinary dependencies, as cargo resolves them for this host.
fn below_core(metadata: &Value) -> Vec<Finding> {
    let names: BTreeMap<&str, &str> = packages(metadata)
        .map(|package| (text(package, "id"), text(package, "name")))
        .collect();
    let edges: BTreeMap<&str, Vec<&str>> = metadata["resolve"]["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|node| (text(node, "id"), ordinary_dependencies(node)))
        .collect();
    let core = members(metadata).find(|package| text(package, "name") == "keyward-core");
    let mut open: Vec<&str> = core.map(|package| text(package, "id")).into_iter().collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(edges.get(id).into_iter().flatten());
        }
    }
    seen.into_iter()
        .filter_map(|id| names.get(id))
        .filter(|name| NOT_BELOW_CORE.iter().any(|pattern| matches(name, pattern)))
        .map(|name| Finding::new("keyward-core", 0, format!("must not bring {name}")))
        .collect()
}

/// Neither for tests nor for builds, and not for one system only.
fn ordinary_dependencies(node: &Value) -> Vec<&str> {
    let is_ordinary = |kind: &Value| kind["kind"].is_null() && kind["target"].is_null();
    node["deps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|dependency| {
            dependency["dep_kinds"]
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(is_ordinary))
        })
        .map(|dependency| text(dependency, "pkg"))
        .collect()
}

fn matches(name: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn member(name: &str, dependencies: &[&str]) -> Value {
        let dependencies: Vec<Value> = dependencies.iter().map(|name| json!({ "name": name })).collect();
        json!({ "name": name, "id": name, "source": null, "dependencies": dependencies })
    }

    fn found(packages: &[Value]) -> Vec<String> {
        direct(&json!({ "packages": packages }))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn the_direction_holds() {
        let good = [
            member("keyward-core", &["sha2"]),
            member("keyward-custody", &["keyward-core", "sqlx", "solana-pubkey"]),
            member("keyward", &["keyward-custody", "keyward-core", "ratatui", "clap"]),
            member("keyward-wasm", &["keyward-core", "wasm-bindgen"]),
            member("keyward-tests", &["keyward", "keyward-wasm", "sqlx"]),
        ];
        assert!(found(&good).is_empty());
    }

    #[test]
    fn each_wrong_edge_is_found() {
        for (from, to) in [
            ("keyward-core", "keyward-custody"),
            ("keyward-custody", "keyward"),
            ("keyward-wasm", "keyward-custody"),
            ("keyward", "keyward-tests"),
            ("xtask", "keyward-core"),
        ] {
            let found = found(&[member(from, &[to]), member(to, &[])]);
            assert!(
                found.contains(&format!("{from}: must not depend on {to}")),
                "{found:?}"
            );
        }
    }

    #[test]
    fn reserved_crates_are_found_elsewhere() {
        for (from, to) in [
            ("keyward", "sqlx"),
            ("keyward", "solana-rpc-client"),
            ("keyward-custody", "ratatui"),
            ("keyward-custody", "crossterm"),
            ("keyward-core", "tokio"),
            ("keyward-core", "wasm-bindgen"),
            ("keyward-tests", "ratatui-core"),
        ] {
            let found = found(&[member(from, &[to])]);
            assert_eq!(found.len(), 1, "{from} on {to}: {found:?}");
        }
    }

    #[test]
    fn only_the_tests_of_core_know_browsers() {
        let core = |name: &str, kind: Value| {
            let mut core = member("keyward-core", &[name]);
            core["dependencies"][0]["kind"] = kind;
            found(&[core]).len()
        };
        assert_eq!(core("wasm-bindgen-test", json!("dev")), 0);
        assert_eq!(core("wasm-bindgen-test", Value::Null), 1);
        assert_eq!(core("wasm-bindgen", json!("dev")), 1);
        let mut custody = member("keyward-custody", &["wasm-bindgen-test"]);
        custody["dependencies"][0]["kind"] = json!("dev");
        assert_eq!(found(&[custody]).len(), 1);
    }

    #[test]
    fn an_unknown_member_is_found() {
        assert_eq!(found(&[member("keyward-misc", &[])]).len(), 1);
    }

    #[test]
    fn what_core_brings_from_further_down_is_found() {
        let node = |id: &str, on: &str, kind: Value| json!({ "id": id, "deps": [{ "pkg": on, "dep_kinds": [{ "kind": kind, "target": null }] }] });
        let external =
            |name: &str| json!({ "name": name, "id": name, "source": "registry", "dependencies": [] });
        let with = |kind: Value| {
            json!({
                "packages": [member("keyward-core", &["middle"]), external("middle"), external("getrandom")],
                "resolve": { "nodes": [
                    node("keyward-core", "middle", Value::Null),
                    node("middle", "getrandom", kind),
                ] },
            })
        };
        assert_eq!(below_core(&with(Value::Null)).len(), 1);
        assert!(below_core(&with(json!("dev"))).is_empty());
    }

    #[test]
    fn a_crate_without_the_workspaces_lints_is_found() {
        assert!(takes_workspace_lints("[package]\n\n[lints]\nworkspace = true\n"));
        assert!(!takes_workspace_lints("[package]\nname = \"x\"\n"));
        assert!(!takes_workspace_lints(
            "[lints]\n\n[lints.rust]\nworkspace = true\n"
        ));
    }
}
