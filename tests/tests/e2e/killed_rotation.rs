//! Killed with signal 9 while the vault key is rotated, in a file and in a database: the vault has the old key or the new
//! one, whole. Every wallet signs, the recovery key of that side opens it, the audit log verifies, and the rotation that was
//! begun is resumed and comes to its end.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use keyward_core::key::WalletKey;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::secp256k1;
use keyward_core::vault::RecoveryKey;
use keyward_custody::{
    AuditReport, Custody, DeriveRequest, OpenOptions, Password, Progress, StoreLocation, VaultStatus, Wallet,
    WalletPasswords, WalletQuery,
};
use keyward_tests::new_vault::new_vault;
use keyward_tests::sandbox::Sandbox;
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::server;

const PHRASE: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
const SECOND: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";
const PASSWORD: &str = "quartz-lantern-ferry-81";
const OWN: &str = "walnut-harbour-ember-37";
/// 5 of each chain from one phrase, 2 from another, one imported.
const WALLETS: usize = 13;

/// Where the vault is.
enum Place {
    File(Sandbox),
    Database(String),
}

impl Place {
    fn file() -> anyhow::Result<Self> {
        Ok(Self::File(Sandbox::new()?))
    }

    fn database() -> Self {
        Self::Database(server::database())
    }

    fn text(&self) -> String {
        match self {
            Self::File(sandbox) => sandbox.vault().display().to_string(),
            Self::Database(url) => url.clone(),
        }
    }

    async fn open(&self) -> anyhow::Result<Custody> {
        let location = StoreLocation::parse(&self.text())?;
        Ok(Custody::open(&location, OpenOptions::default()).await?)
    }

    async fn numbers(&self, query: &'static str) -> anyhow::Result<Vec<i64>> {
        Ok(match self {
            Self::File(_) => {
                let url = format!("sqlite://{}", self.text());
                let mut connection = SqliteConnection::connect(&url).await?;
                let found = sqlx::query_scalar(query).fetch_all(&mut connection).await?;
                connection.close().await?;
                found
            }
            Self::Database(url) => {
                let mut connection = PgConnection::connect(url).await?;
                let found = sqlx::query_scalar(query).fetch_all(&mut connection).await?;
                connection.close().await?;
                found
            }
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Database(url) = self {
            server::drop_database(url);
        }
    }
}

/// A vault with every kind of wallet, and its recovery key.
struct Scene {
    place: Place,
    recovery: RecoveryKey,
}

fn password() -> Password {
    Password::new(PASSWORD.to_owned())
}

fn own() -> Password {
    Password::new(OWN.to_owned())
}

impl Scene {
    async fn new(place: Place) -> anyhow::Result<Self> {
        let custody = place.open().await?;
        custody.create_vault(new_vault(password(), PHRASE)?).await?;
        let second = Mnemonic::parse(SECOND)?;
        let second = custody
            .import_phrase(&second, "", "second", PathFamily::Bip44)
            .await?
            .id;
        for (master, family, count) in [
            (None, None, 5),
            (None, Some(PathFamily::EvmBip44), 5),
            (Some(second), None, 2),
        ] {
            let request = DeriveRequest {
                master,
                family,
                start: None,
                count,
            };
            custody.derive_wallets(request, &Progress::default()).await?;
        }
        let key = WalletKey::from(secp256k1::SecretKey::from_bytes(&[5; 32])?);
        custody.import_key(key, "imported", &[], Some(own())).await?;
        let recovery = custody.add_recovery(&password(), None).await?;
        custody.close().await?;
        Ok(Self { place, recovery })
    }

    fn start(&self, place: &str) -> anyhow::Result<Rotator> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rotator"))
            .arg(place)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stdin = child.stdin.take().context("no standard input")?;
        let stdout = BufReader::new(child.stdout.take().context("no standard output")?);
        writeln!(stdin, "{}\n{PASSWORD}", self.place.text())?;
        Ok(Rotator { child, stdout })
    }

    async fn sql(&self, statement: &'static str) -> anyhow::Result<()> {
        let url = format!("sqlite://{}", self.place.text());
        let mut connection = SqliteConnection::connect(&url).await?;
        sqlx::raw_sql(statement).execute(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }

    /// Waits until so many bytes that nobody committed are in the journal.
    fn wait_for_journal(&self, bytes: u64) -> anyhow::Result<()> {
        let journal = format!("{}-wal", self.place.text());
        let end = Instant::now() + Duration::from_mins(2);
        while std::fs::metadata(&journal).map_or(0, |file| file.len()) < bytes {
            ensure!(Instant::now() < end, "the rotation writes nothing");
            std::thread::yield_now();
        }
        Ok(())
    }

    /// All that must hold afterwards.
    async fn check(&self, place: &str, epoch: u32) -> anyhow::Result<()> {
        let custody = self.place.open().await?;
        custody.unlock(&password(), None).await?;
        self.works(&custody, place, epoch).await?;
        let is_begun = custody.rotation_status().await?.is_some();
        // Whatever was left behind is taken up, and does not stand in the way of the next one.
        let rotation = custody.rotate_vault_key(&password(), None).await?;
        ensure!(rotation.resumed == is_begun, "{place}: {rotation:?}");
        ensure!(custody.rotation_status().await?.is_none(), "{place}: not over");
        let left = self.place.numbers("SELECT COUNT(*) FROM staged_records").await?;
        assert_eq!(left, [0], "{place}: staged records");
        ensure!(rotation.epoch == epoch + 1, "{place}: {rotation:?}");
        ensure!(rotation.records == WALLETS + 2, "{place}: {rotation:?}");
        self.works(&custody, place, epoch + 1).await
    }

    async fn works(&self, custody: &Custody, place: &str, epoch: u32) -> anyhow::Result<()> {
        let VaultStatus::Unlocked(summary) = custody.status().await? else {
            anyhow::bail!("{place}: locked")
        };
        assert_eq!(summary.epoch, epoch, "{place}");
        for (what, query) in [
            (
                "records",
                "SELECT epoch FROM wallets UNION SELECT epoch FROM master_wallets",
            ),
            ("retired keys", "SELECT COUNT(*) + 1 FROM audit_keys"),
        ] {
            let found = self.place.numbers(query).await?;
            assert_eq!(found, [i64::from(epoch)], "{place}: {what}");
        }
        let wallets = wallets(custody).await?;
        assert_eq!(wallets.len(), WALLETS, "{place}");
        for wallet in wallets {
            let passwords = WalletPasswords::of_one(wallet.address, own());
            custody
                .sign_message_with(wallet.address, b"after the kill", &passwords)
                .await
                .with_context(|| format!("{place}: {} does not sign", wallet.address))?;
        }
        // Both phrases open: a further wallet comes from each.
        for master in custody.masters().await? {
            let request = DeriveRequest {
                master: Some(master.id),
                family: None,
                start: Some(0),
                count: 1,
            };
            custody.derive_wallets(request, &Progress::default()).await?;
        }
        let opens = self
            .place
            .open()
            .await?
            .unlock_with_recovery(&self.recovery)
            .await
            .is_ok();
        assert_eq!(
            opens,
            epoch == 1,
            "{place}: the recovery key of the first vault key"
        );
        let report = custody.audit_verify(None).await?;
        ensure!(
            matches!(report, AuditReport::Intact { .. }),
            "{place}: {report:?}"
        );
        Ok(())
    }
}

async fn wallets(custody: &Custody) -> anyhow::Result<Vec<Wallet>> {
    Ok(custody.wallets(&WalletQuery::default()).await?.rows)
}

/// The process to be killed.
struct Rotator {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Rotator {
    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    fn says(&mut self, expected: &str) -> anyhow::Result<()> {
        let line = self.line()?;
        ensure!(line == expected, "the rotator said {line:?}");
        Ok(())
    }

    /// SIGKILL to our own child, which is not yet waited for.
    fn kill(mut self) -> anyhow::Result<()> {
        ensure!(
            self.child.try_wait()?.is_none(),
            "it has ended before it was killed"
        );
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Rotator {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Killed at each reading of the clock in turn, until there is none any more: under the lock of every transaction, before
/// anything of it is written, and so after everything of the one before it.
async fn killed_everywhere(place: impl Fn() -> anyhow::Result<Place>) -> anyhow::Result<()> {
    let mut begun = 0;
    for reading in 1.. {
        let scene = Scene::new(place()?).await?;
        let mut rotator = scene.start(&reading.to_string())?;
        let name = format!("reading {reading}");
        let said = rotator.line()?;
        if said == "rotated" {
            // The try and what came of it, the look, the beginning, four chunks, the look, the switch: fewer would mean
            // that the rotation is not killed where it matters.
            ensure!(reading > 10 && begun >= 6, "{name}: {begun} times begun");
            return scene.check(&name, 2).await;
        }
        ensure!(said == "reached", "{name}: the rotator said {said:?}");
        rotator.kill()?;
        let custody = scene.place.open().await?;
        begun += u32::from(custody.rotation_status().await?.is_some());
        custody.close().await?;
        scene.check(&name, 1).await?;
    }
    anyhow::bail!("it never ended")
}

async fn killed_when_done(place: Place) -> anyhow::Result<()> {
    let scene = Scene::new(place).await?;
    let mut rotator = scene.start("rotated")?;
    rotator.says("reached")?;
    rotator.kill()?;
    scene.check("rotated", 2).await
}

/// Killed inside the transaction, with pages of it in the journal: the trigger fills the journal until the cache spills
/// into it, and then never ends.
async fn killed_within(place: &str, trigger: &'static str) -> anyhow::Result<()> {
    let scene = Scene::new(Place::file()?).await?;
    scene.sql(trigger).await?;
    let mut rotator = scene.start("going")?;
    rotator.says("reached")?;
    scene.wait_for_journal(6 << 20)?;
    rotator.kill()?;
    scene.sql("DROP TRIGGER stand; DROP TABLE ballast").await?;
    scene.check(place, 1).await
}

#[tokio::test]
async fn killed_anywhere_in_a_file_the_old_key_stands_and_it_is_resumed() -> anyhow::Result<()> {
    killed_everywhere(Place::file).await
}

#[tokio::test]
async fn killed_anywhere_in_a_database_the_old_key_stands_and_it_is_resumed() -> anyhow::Result<()> {
    killed_everywhere(|| Ok(Place::database())).await
}

#[tokio::test]
async fn killed_with_half_of_the_wallets_written_the_old_key_stands() -> anyhow::Result<()> {
    let trigger = "CREATE TABLE ballast (bytes BLOB); \
        CREATE TRIGGER stand AFTER UPDATE OF sealed ON wallets WHEN OLD.wallet_id = 7 BEGIN \
        INSERT INTO ballast SELECT randomblob(4000) FROM \
        (WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 4000) SELECT i FROM n); \
        INSERT INTO ballast SELECT COUNT(*) FROM \
        (WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n); END";
    killed_within("half of the wallets", trigger).await
}

#[tokio::test]
async fn killed_with_all_but_the_header_and_the_log_written_the_old_key_stands() -> anyhow::Result<()> {
    let trigger = "CREATE TABLE ballast (bytes BLOB); \
        CREATE TRIGGER stand AFTER INSERT ON audit_keys BEGIN \
        INSERT INTO ballast SELECT randomblob(4000) FROM \
        (WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 4000) SELECT i FROM n); \
        INSERT INTO ballast SELECT COUNT(*) FROM \
        (WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n); END";
    killed_within("the header", trigger).await
}

/// Among the records that are staged, with some of their chunk in the journal.
#[tokio::test]
async fn killed_with_half_of_a_chunk_staged_the_old_key_stands() -> anyhow::Result<()> {
    let trigger = "CREATE TABLE ballast (bytes BLOB); \
        CREATE TRIGGER stand AFTER INSERT ON staged_records WHEN NEW.row_id = 7 BEGIN \
        INSERT INTO ballast SELECT randomblob(4000) FROM \
        (WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 4000) SELECT i FROM n); \
        INSERT INTO ballast SELECT COUNT(*) FROM \
        (WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n); END";
    killed_within("half of a chunk", trigger).await
}

#[tokio::test]
async fn killed_when_it_is_done_the_new_key_stands() -> anyhow::Result<()> {
    killed_when_done(Place::file()?).await?;
    killed_when_done(Place::database()).await
}
