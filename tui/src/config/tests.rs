#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn load(content: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, content).unwrap();
    Config::load(&path)
}

#[test]
fn a_missing_file_is_the_defaults() {
    let config = Config::load(Path::new("/nonexistent/keyward/config.toml")).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.rpc_url, None, "nothing is contacted unasked");
    assert_eq!(config.lock_after_minutes, 10);
}

#[test]
fn settings_survive_the_file_and_are_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/config.toml");
    let mut config = Config::default();
    for (key, value) in [
        (Key::RpcUrl, "https://node.example/key"),
        (Key::WsUrl, "wss://node.example/key"),
        (Key::MoreRpcUrls, "https://two.example/key http://127.0.0.1:8899"),
        (Key::MaxRequestsPerSecond, "40"),
        (Key::LockAfterMinutes, "3"),
        (Key::Theme, "light"),
    ] {
        config.set(key, value).unwrap();
        assert_eq!(config.get(key).as_deref(), Some(value));
    }
    config.save(&path).unwrap();
    assert_eq!(Config::load(&path).unwrap(), config);
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing is left beside the file");
    for (key, bad) in [
        (Key::MoreRpcUrls, "https://two.example ftp://three.example"),
        (
            Key::MoreRpcUrls,
            "http://a http://b http://c http://d http://e http://f http://g http://h",
        ),
        (Key::MaxRequestsPerSecond, "0"),
        (Key::MaxRequestsPerSecond, "fast"),
        (Key::MaxRequestsPerSecond, "10001"),
    ] {
        assert!(config.set(key, bad).is_err(), "{bad}");
    }
    let node = config.node().unwrap();
    assert_eq!(
        (node.more_rpc_urls.len(), node.max_requests_per_second),
        (2, Some(40))
    );
    for key in Key::ALL {
        config.set(key, "").unwrap();
    }
    assert_eq!(config, Config::default());
}

#[test]
fn what_is_not_understood_is_refused_where_it_stands() {
    let line_of = |content: &str| match load(content) {
        Err(ConfigError::Syntax { line, reason, .. }) => (line, reason),
        other => panic!("{content:?} gave {other:?}"),
    };
    let (line, reason) = line_of("theme = \"dark\"\nrpc_ulr = \"http://127.0.0.1\"\n");
    assert_eq!(line, Some(2));
    assert!(reason.contains("rpc_ulr"), "{reason}");
    assert_eq!(
        line_of("theme = \"dark\"\n\nlock_after_minutes = \"ten\"\n").0,
        Some(3)
    );
    assert_eq!(line_of("theme = \"mauve\"\n").0, Some(1));
    assert_eq!(line_of("this is not TOML").0, Some(1));
    assert!(matches!(
        load("rpc_url = \"ftp://x\"\n"),
        Err(ConfigError::Value { key: Key::RpcUrl, .. })
    ));
    assert!(matches!(
        load("lock_after_minutes = 0\n"),
        Err(ConfigError::Value { .. })
    ));
    assert!(matches!(
        load(&"#".repeat(70_000)),
        Err(ConfigError::Syntax { .. })
    ));
}

#[test]
fn endpoints_are_judged() {
    use EndpointPrivacy::{PlainText, Private};
    let check = |url: &str, expected: Option<EndpointPrivacy>| {
        assert_eq!(check_rpc_url(url).ok(), expected, "{url}");
    };
    check("http://127.0.0.1:8899", Some(Private));
    check("http://localhost:8899/", Some(Private));
    check("http://[::1]:8899", Some(Private));
    check("https://node.example", Some(Private));
    check("HTTPS://node.example/v1?key=x", Some(Private));
    check("http://node.example", Some(PlainText));
    check("http://10.0.0.7:8899", Some(PlainText));
    check("http://localhost.example", Some(PlainText));
    check("http://localhost@node.example", Some(PlainText));
    check("http://127.0.0.1.example", Some(PlainText));
    check("", None);
    check("node.example", None);
    check("ws://127.0.0.1:8900", None);
    check("http://", None);
    check("http:///path", None);
    check("https://node.example/a b", None);
    check("https://node.example/\u{7}", None);
    check(&format!("https://{}", "a".repeat(3000)), None);
    assert_eq!(check_ws_url("ws://127.0.0.1:8900").ok(), Some(Private));
    assert_eq!(check_ws_url("ws://node.example").ok(), Some(PlainText));
    assert!(check_ws_url("http://127.0.0.1").is_err());
}

#[test]
fn access_tokens_are_left_out_of_what_is_shown() {
    let check = |url: &str, shown: &str| assert_eq!(endpoint_host(url), shown);
    check("https://node.example/v2/TOKEN?key=TOKEN", "https://node.example");
    check(
        "https://user:TOKEN@node.example:8899/",
        "https://node.example:8899",
    );
    check("nonsense", "?");
}

#[test]
fn the_settings_folder_follows_the_environment() {
    let path =
        |xdg: Option<&str>, home: Option<&str>| path_from(xdg.map(Into::into), home.map(Into::into)).ok();
    assert_eq!(
        path(Some("/x"), Some("/h")),
        Some("/x/keyward/config.toml".into())
    );
    assert_eq!(
        path(Some("relative"), Some("/h")),
        Some("/h/.config/keyward/config.toml".into())
    );
    assert_eq!(
        path(None, Some("/h")),
        Some("/h/.config/keyward/config.toml".into())
    );
    assert_eq!(path(None, None), None);
}
