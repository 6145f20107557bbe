//! A rotation of the vault key that was stopped, and a vault file merged into a vault.

use keyward_tests::sandbox::Sandbox;

use crate::fixture::{FIRST_ADDRESS, OTHER_PASSWORD, PASSWORD, SECOND_ADDRESS, Vault, fails, keyward};

#[test]
fn a_rotation_that_was_stopped_shows_and_is_resumed_or_thrown_away() {
    let vault = Vault::new(3);
    assert!(vault.json("vault status")["rotation"].is_null());
    assert_eq!(vault.json("vault rotate --abandon")["abandoned"], false);
    let answer = vault.json("vault rotate");
    assert_eq!((&answer["epoch"], &answer["resumed"]), (&2.into(), &false.into()));
    fails(vault.run("vault rotate --abandon --stdout"), 2, "usage");
    // As one that was stopped leaves it, with what another vault staged: it opens with the same password and is not ours.
    let database = vault.sandbox.vault();
    let sql = |statement: &'static str| {
        let url = format!("sqlite://{}", database.display());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            use sqlx::Connection as _;
            let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
            sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    };
    sql("INSERT INTO vault_key_rotations (singleton, header, started_at) SELECT 1, header, 0 FROM vaults");
    let shown = vault.json("vault status");
    assert_eq!(
        shown["rotation"],
        serde_json::json!({ "epoch": 2, "started_ms": 0, "done": 0, "total": 4 })
    );
    let text = vault.run("vault status").success().unwrap().stdout;
    assert!(text.contains("a rotation is under way since 1970"), "{text}");
    let new = vault.sandbox.write("new", OTHER_PASSWORD).unwrap();
    let change = vault.run("vault password --new-password-file").arg(&new);
    fails(change, 10, "rotation_under_way");
    fails(vault.run("vault rotate"), 10, "rotation_unfit");
    assert_eq!(vault.json("vault rotate --abandon")["abandoned"], true);
    assert_eq!(vault.json("vault rotate")["epoch"], 3);
    let change = vault.run("vault password --new-password-file").arg(&new);
    change.success().unwrap();
}

#[test]
fn a_vault_file_is_merged_into_a_vault_and_what_differs_is_told() {
    let other = Vault::new(3);
    other.json("wallets label #1 theirs");
    let password = other.sandbox.write("own", OTHER_PASSWORD).unwrap();
    let file = other.sandbox.path("theirs.keyward");
    other.json(&format!(
        "vault export --out {} --new-password-file {}",
        file.display(),
        password.display()
    ));
    let vault = Vault::new(2);
    vault.json("wallets label #1 ours");
    let words = format!(
        "vault import {} --file-password-file {} --merge",
        file.display(),
        password.display()
    );
    let expected = |dry_run: bool, added: &[&str], same: &[&str]| {
        serde_json::json!({
            "vault_id": vault.json("vault status")["vault_id"],
            "dry_run": dry_run,
            "phrases_added": 0,
            "phrases_known": 1,
            "added": added,
            "same": same,
            "conflicts": [{
                "address": SECOND_ADDRESS,
                "differences": [{ "what": "label", "here": "ours", "file": "theirs" }],
            }],
            "policy_left_out": true,
        })
    };
    let third = "7WktogJEd2wQ9eH2oWusmcoFTgeYi6rS632UviTBJ2jm";
    let dry = vault.json(&format!("{words} --dry-run"));
    assert_eq!(dry, expected(true, &[third], &[FIRST_ADDRESS]));
    assert_eq!(vault.json("wallets list")["total"], 2);
    let text = vault.run(&words).success().unwrap().stdout;
    for piece in [
        "1 wallets added",
        "label: here \"ours\", in the file \"theirs\"",
        "policy is left out",
    ] {
        assert!(text.contains(piece), "{piece}: {text}");
    }
    assert_eq!(vault.json("wallets list")["total"], 3);
    assert_eq!(vault.json(&words), expected(false, &[], &[FIRST_ADDRESS, third]));
    // The next one comes after those that the file had.
    assert_eq!(vault.json("wallets derive --count 1")["first"], 3);
    fails(vault.run(&format!("{words} --max-sol 3")), 2, "limits_with_merge");
    let wrong = vault.sandbox.write("wrong", "no-such-password-here").unwrap();
    let run = vault.run("vault import --merge --file-password-file");
    fails(run.arg(&wrong).arg(&file), 4, "wrong_password");
    let none = vault.sandbox.write("none.keyward", "hello").unwrap();
    let run = vault.run("vault import --merge --file-password-file");
    fails(run.arg(&password).arg(&none), 10, "vault_file_invalid");
    fails(
        vault.run(&format!("vault import {} --dry-run", file.display())),
        2,
        "usage",
    );
    let empty = Sandbox::new().unwrap();
    let run = keyward(&empty, &words).env("KEYWARD_MASTER_PASSWORD", PASSWORD);
    fails(run, 5, "not_initialised");
}
