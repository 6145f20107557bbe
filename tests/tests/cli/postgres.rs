//! The same commands on a vault in PostgreSQL: the address is all that changes.

use keyward_tests::cli::Cli;
use keyward_tests::sandbox::Sandbox;
use serde_json::Value;

use crate::fixture::{FIRST_ADDRESS, OTHER_PASSWORD, PASSWORD, PHRASE, Vault, fails, keyward};
use crate::server;

/// A database with an address, gone when dropped.
struct Database {
    url: String,
    sandbox: Sandbox,
}

impl Database {
    fn new() -> Self {
        Self {
            url: server::database(),
            sandbox: Sandbox::new().unwrap(),
        }
    }

    fn run(&self, words: &str) -> Cli {
        keyward(&self.sandbox, words)
            .env("DATABASE_URL", &self.url)
            .env("KEYWARD_MASTER_PASSWORD", PASSWORD)
    }

    fn json(&self, words: &str) -> Value {
        self.run(words).arg("--json").success().unwrap().json().unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        server::drop_database(&self.url);
    }
}

#[test]
fn a_vault_in_a_database_does_what_one_in_a_file_does() {
    let database = Database::new();
    fails(database.run("wallets list"), 5, "not_initialised");
    assert_eq!(database.json("vault status")["state"], "empty");
    let made = database
        .run("init --import - --kdf scrypt-16384 --max-sol 5 --json")
        .stdin(PHRASE)
        .success()
        .unwrap();
    let secret = database.url.split(['@', ':']).nth(2).unwrap();
    assert!(!secret.is_empty() && !made.to_string().contains(secret), "{made}");
    fails(
        database.run("init --import - --kdf scrypt-16384").stdin(PHRASE),
        10,
        "already_initialised",
    );
    database.run("wallets derive --count 500").success().unwrap();
    let page = database.json("wallets list --limit 1");
    assert_eq!(page["total"], 501);
    assert_eq!(page["wallets"][0]["address"], FIRST_ADDRESS);
    database.run("wallets label #0 treasury").success().unwrap();

    // The same key, so the same signature.
    let signed = database.json("sign-message treasury --message hello");
    let file = Vault::new(1);
    assert_eq!(
        signed["signature"],
        file.json("sign-message #0 --message hello")["signature"]
    );
    fails(
        database
            .run("sign-message #0 --message hello")
            .env("KEYWARD_MASTER_PASSWORD", OTHER_PASSWORD),
        4,
        "wrong_password",
    );
    let verified = database.json("audit verify");
    assert_eq!(verified["intact"], true);
    // Verifying leaves an entry of its own.
    let total = database.json("audit list --limit 1")["total"].as_u64().unwrap();
    assert_eq!(verified["entries"], total - 1);
    assert_eq!(database.json("audit list --outcome signed")["total"], 1);
    // Nothing was put into a file beside it.
    assert!(!database.sandbox.vault().exists());
}

#[test]
fn a_vault_moves_to_a_server_and_back() {
    let (file, database) = (Vault::new(3), Database::new());
    file.run("wallets label #1 treasury").success().unwrap();
    file.run("wallets tag #1 --add hot").success().unwrap();
    // Looking makes no tables, also when somebody asks what is missing.
    let check = database.json("migrate --check");
    assert_eq!((&check["from"], &check["to"]), (&Value::from(0), &Value::from(0)));
    assert!(!check["missing"].as_array().unwrap().is_empty());
    assert_eq!(database.json("vault status")["state"], "empty");
    assert_eq!(database.json("migrate --check"), check);
    let made = database.json("migrate");
    assert_eq!(
        (&made["to"], &made["applied"]),
        (&check["newest"], &check["missing"])
    );
    assert_eq!(database.json("migrate")["applied"], Value::Array(Vec::new()));

    let copied = file
        .run("store copy --json --to")
        .arg(&database.url)
        .success()
        .unwrap();
    let secret = database.url.split(['@', ':']).nth(2).unwrap();
    assert!(!secret.is_empty() && !format!("{}{}", copied.stdout, copied.stderr).contains(secret));
    let copied = copied.json().unwrap();
    let verified = database.json("audit verify");
    assert_eq!(verified["root"], copied["audit_root"]);
    // The source has gone on since: the copying console locked it again.
    assert_eq!(
        file.json("audit verify")["entries"].as_u64().unwrap(),
        verified["entries"].as_u64().unwrap() + 1
    );
    assert_eq!(copied["tables"]["wallets"], 3);
    let wallet = database.json("wallets show treasury");
    assert_eq!(wallet, file.json("wallets show treasury"));
    fails(file.run("store copy --to").arg(&database.url), 10, "invalid");

    let back = database.sandbox.path("back.db");
    let copied = database
        .run("store copy --json --from")
        .arg(&database.url)
        .arg("--to")
        .arg(&back)
        .success()
        .unwrap()
        .json()
        .unwrap();
    let again = |words: &str| {
        let run = keyward(&database.sandbox, words).env("KEYWARD_MASTER_PASSWORD", PASSWORD);
        run.arg("--json")
            .arg("--vault")
            .arg(&back)
            .success()
            .unwrap()
            .json()
            .unwrap()
    };
    assert_eq!(again("audit verify")["root"], copied["audit_root"]);
    let signature = |answer: Value| answer["signature"].clone();
    assert_eq!(
        signature(again("sign-message treasury --message hello")),
        signature(file.json("sign-message treasury --message hello"))
    );
    let wrong = keyward(&database.sandbox, "store copy --to x.db --from")
        .arg(&database.url)
        .env("KEYWARD_MASTER_PASSWORD", OTHER_PASSWORD);
    fails(wrong, 4, "wrong_password");
}
