//! Processes killed with signal 9 at random moments: the vault opens, has what they said they had done, and verifies.

use keyward_tests::chaos::crash::{self, Plan, worker::Kind};
use keyward_tests::chaos::place::{Place, Store};

/// Kills of each kind of work.
const KILLS: u32 = 6;

async fn killed(store: Store, kind: Kind) -> anyhow::Result<()> {
    let plan = Plan {
        program: env!("CARGO_BIN_EXE_chaos").into(),
        kills: KILLS,
        seed: u64::from(std::process::id()),
    };
    let findings = crash::run(&Place::new(store)?, kind, &plan).await?;
    let found = |what: &str| findings.get(what).copied().unwrap_or(0);
    anyhow::ensure!(found("kills") == u64::from(KILLS), "{findings:?}");
    anyhow::ensure!(
        found("under way, and done")
            + found("under way, and not done")
            + found("killed between two operations")
            == u64::from(KILLS),
        "{findings:?}"
    );
    Ok(())
}

macro_rules! killed_while {
    ($($kind:ident $file:ident $database:ident)*) => {$(
        #[tokio::test]
        async fn $file() -> anyhow::Result<()> {
            killed(Store::Sqlite, Kind::$kind).await
        }

        #[tokio::test]
        async fn $database() -> anyhow::Result<()> {
            killed(Store::Postgres, Kind::$kind).await
        }
    )*};
}

killed_while! {
    Derive deriving_into_a_file deriving_into_a_database
    Sign signing_from_a_file signing_from_a_database
    RotateVault rotating_the_key_of_a_file rotating_the_key_of_a_database
    ChangePassword changing_the_password_of_a_file changing_the_password_of_a_database
    Import importing_into_a_file importing_into_a_database
    Owners changing_owners_in_a_file changing_owners_in_a_database
    Merge merging_into_a_file merging_into_a_database
    RotateWallet replacing_keys_in_a_file replacing_keys_in_a_database
}
