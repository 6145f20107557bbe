//! What goes wrong around the vault: disks, other processes, nodes. Each time a clear message with a way on, the
//! documented exit code, and nothing lost.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use keyward_tests::cli::{CliOutput, keyward_binary};
use sqlx::Connection as _;

use crate::vault::{FIRST_ADDRESS, TestVault};

/// The failure that a run printed with `--json`: its code, its message and its remedy, none of them empty.
fn failure(output: &CliOutput) -> anyhow::Result<(String, String, String)> {
    let line = output
        .stderr
        .lines()
        .last()
        .context("nothing on standard error")?;
    let value: serde_json::Value = serde_json::from_str(line).with_context(|| output.to_string())?;
    let field = |name: &str| -> anyhow::Result<String> {
        let text = value["error"][name]
            .as_str()
            .with_context(|| format!("no {name}\n{output}"))?;
        ensure!(!text.is_empty(), "{name} is empty\n{output}");
        Ok(text.to_owned())
    };
    Ok((field("code")?, field("message")?, field("remedy")?))
}

/// Every wallet of the vault is still there and the audit verifies.
fn nothing_is_lost(vault: &TestVault, wallets: u64) -> anyhow::Result<()> {
    let listed = vault.cli("wallets list --json")?.success()?.json()?;
    assert_eq!(listed["total"], wallets);
    vault.cli("audit verify")?.success()?;
    Ok(())
}

#[test]
fn a_wrong_password_is_refused_audited_and_harmless() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    let wrong = vault.sandbox.write("wrong", "not-the-right-one-77")?;
    let output = keyward_tests::cli::Cli::new(&vault.sandbox)?
        .args(["wallets", "derive", "--count", "1", "--json", "--password-file"])
        .arg(wrong)
        .exits(4)?;
    let (_, message, _) = failure(&output)?;
    assert!(message.contains("wrong password"), "{message}");
    assert!(!output.to_string().contains("not-the-right-one-77"));
    nothing_is_lost(&vault, 2)
}

#[test]
fn a_damaged_database_is_named_and_left_as_it_is() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    let path = vault.sandbox.vault();
    let file = fs::OpenOptions::new().read(true).write(true).open(&path)?;
    file.write_all_at(&[0x5a; 64], 0)?;
    let before = fs::read(&path)?;
    let output = vault.cli("wallets list --json")?.exits(8)?;
    let (_, message, remedy) = failure(&output)?;
    assert!(message.contains("damaged"), "{message}");
    assert!(remedy.contains("backup") || remedy.contains("copy"), "{remedy}");
    assert_eq!(fs::read(&path)?, before, "a damaged file must not be written to");
    Ok(())
}

#[test]
fn a_truncated_database_is_named() -> anyhow::Result<()> {
    let vault = TestVault::new(500)?;
    let path = vault.sandbox.vault();
    let file = fs::OpenOptions::new().write(true).open(&path)?;
    file.set_len(file.metadata()?.len() / 2)?;
    let output = vault.cli("wallets list --json")?.exits(8)?;
    let (_, message, _) = failure(&output)?;
    assert!(message.contains("damaged"), "{message}");
    Ok(())
}

/// Runs the binary inside a mount namespace of its own, after `prepare` has arranged the vault's disk there.
fn in_own_mounts(vault: &TestVault, prepare: &str, arguments: &str) -> anyhow::Result<std::process::Output> {
    let script = format!("{prepare} && exec \"$BINARY\" {arguments} --password-file \"$PASSWORD_FILE\"");
    let mut command = Command::new("unshare");
    command.arg("--mount");
    if !rustix::process::getuid().is_root() {
        command.arg("--map-root-user");
    }
    let output = command
        .args(["sh", "-c", &script])
        .env_clear()
        .envs(vault.sandbox.environment())
        .env("BINARY", keyward_binary()?)
        .env("PASSWORD_FILE", &vault.password_file)
        .env("FOLDER", vault.sandbox.vault().parent().context("no folder")?)
        .output()
        .context("unshare (of util-linux) is needed to make a read-only and a full disk")?;
    Ok(output)
}

#[test]
fn a_read_only_disk_is_named_and_reading_still_works() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    let prepare = "mount --bind \"$FOLDER\" \"$FOLDER\" && mount -o remount,ro,bind \"$FOLDER\"";
    let output = in_own_mounts(&vault, prepare, "wallets derive --count 1 --json")?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(8), "{errors}");
    assert!(errors.contains("read-only"), "{errors}");
    nothing_is_lost(&vault, 2)
}

#[test]
fn a_full_disk_is_named_and_nothing_is_lost() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    // The vault is copied to a small disk of its own, which is then filled to the last byte.
    let prepare = "mkdir -p \"$TMPDIR/keep\" && cp -a \"$FOLDER/.\" \"$TMPDIR/keep\" \
         && mount -t tmpfs -o size=2m tmpfs \"$FOLDER\" && cp -a \"$TMPDIR/keep/.\" \"$FOLDER\" \
         && { cat /dev/zero > \"$FOLDER/filler\" 2>/dev/null; true; }";
    let output = in_own_mounts(&vault, prepare, "wallets derive --count 5000 --json")?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(8), "{errors}");
    assert!(errors.contains("full"), "{errors}");
    nothing_is_lost(&vault, 2)?;

    // The same disk after room was made: what was refused now goes through, on the very files that met the full disk.
    let recover = format!(
        "{prepare} && {{ \"$BINARY\" wallets derive --count 5000 --password-file \"$PASSWORD_FILE\" >/dev/null 2>&1; true; }} \
         && rm \"$FOLDER/filler\" && \"$BINARY\" wallets derive --count 3 --password-file \"$PASSWORD_FILE\""
    );
    let output = in_own_mounts(&vault, &recover, "audit verify --json")?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{errors}");
    Ok(())
}

#[tokio::test]
async fn a_locked_database_is_waited_for_and_then_named() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    let url = format!("sqlite://{}", vault.sandbox.vault().display());
    let mut holder = sqlx::SqliteConnection::connect(&url).await?;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut holder).await?;
    let output = vault.cli("wallets derive --count 1 --json")?.exits(8)?;
    let (_, message, _) = failure(&output)?;
    assert!(message.contains("another process"), "{message}");
    sqlx::query("ROLLBACK").execute(&mut holder).await?;
    holder.close().await?;
    vault.cli("wallets derive --count 1")?.success()?;
    nothing_is_lost(&vault, 3)
}

#[test]
fn a_node_that_is_down_is_named() -> anyhow::Result<()> {
    let vault = TestVault::new(1)?;
    // A port that was free a moment ago: nothing listens there.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let output = vault
        .cli(&format!("balance --json --rpc http://127.0.0.1:{port}"))?
        .exits(6)?;
    failure(&output)?;
    nothing_is_lost(&vault, 1)
}

#[test]
fn no_node_at_all_is_said_plainly() -> anyhow::Result<()> {
    let vault = TestVault::new(1)?;
    let output = vault.cli("balance --json")?.exits(6)?;
    let (_, _, remedy) = failure(&output)?;
    assert!(remedy.contains("--rpc"), "{remedy}");
    Ok(())
}

/// A server that gives every request the same answer, until the listener's thread ends with the test.
fn answering(answer: &'static [u8]) -> anyhow::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(64) {
            let Ok(mut stream) = stream else { continue };
            let mut request = [0; 4096];
            if stream.read(&mut request).is_ok() {
                stream.write_all(answer).ok();
            }
        }
    });
    Ok(port)
}

#[test]
fn a_node_that_answers_nonsense_is_never_believed() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    let answers: [&'static [u8]; 4] = [
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 12\r\nconnection: close\r\n\r\n<html>hello<",
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 38\r\nconnection: close\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":\"yes\"}",
        b"SSH-2.0-OpenSSH\r\n",
    ];
    for answer in answers {
        let port = answering(answer)?;
        let rpc = format!("http://127.0.0.1:{port}");
        let output = vault.cli(&format!("balance --json --rpc {rpc}"))?.exits(6)?;
        failure(&output)?;
        let words = format!("send --from #0 --to #1 --amount 0.1 --yes --json --rpc {rpc}");
        let output = vault.cli(&words)?.exits(6)?;
        failure(&output)?;
    }
    let signed = vault.cli("audit list --json")?.success()?;
    assert!(!signed.stdout.contains("\"signed\""), "{signed}");
    nothing_is_lost(&vault, 2)
}

/// Overwrites one byte of one row's text in place, by SQL, as somebody with access to the file would.
async fn tamper(path: &Path, statement: &str) -> anyhow::Result<()> {
    let mut connection = sqlx::SqliteConnection::connect(&format!("sqlite://{}", path.display())).await?;
    let changed = sqlx::query(sqlx::AssertSqlSafe(statement.to_owned()))
        .execute(&mut connection)
        .await?;
    assert_eq!(changed.rows_affected(), 1, "{statement}");
    connection.close().await?;
    Ok(())
}

#[tokio::test]
async fn a_changed_audit_row_is_named() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    vault
        .cli(&format!("wallets label {FIRST_ADDRESS} treasury"))?
        .success()?;
    vault.cli("audit verify")?.success()?;
    tamper(
        &vault.sandbox.vault(),
        "UPDATE audit_entries SET actor = 'x' || substr(actor, 2) WHERE sequence = 1",
    )
    .await?;
    let output = vault.cli("audit verify --json")?.exits(7)?;
    assert!(output.stdout.contains("\"sequence\":1"), "{output}");
    Ok(())
}
