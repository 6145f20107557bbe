//! Any single change to what is stored is noticed: each column of each table changed, each row taken away, doubled and
//! swapped with another one, made from the live schema, so that what is added to it is covered or listed here.

use std::collections::{BTreeMap, BTreeSet};

use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;
use keyward_core::audit::Operation;
use keyward_core::ed25519;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_custody::jobs::{
    Batch, BatchItem, BatchState, ItemAction, JobFormat, JobId, JobKind, Lifetime, NewItem, NewJob,
};
use keyward_custody::transfer::Repeat;
use keyward_custody::{
    AuditQuery, AuditReport, Custody, CustodyError, DeriveRequest, FeePolicy, KeyImport, NewAttempt,
    NewContact, Progress, SettingKey, WalletQuery,
};

use crate::fixture::{Fixture, PASSWORD, first, password, recipient, transfer};
use crate::schema::Column;

/// What nobody notices when it is changed, and why it is so: docs/threat-model.md says it too.
const UNNOTICED: [(&str, &str); 14] = [
    // Counted while the vault is locked, when there is no key to seal with.
    ("vaults", "failed_unlocks"),
    ("vaults", "locked_until"),
    // For people; no decision rests on them.
    ("wallets", "last_used_at"),
    ("wallets", "total_trades"),
    ("wallets", "total_volume"),
    // Followed while the vault is locked; what was signed and sent is sealed.
    ("attempts", "state"),
    ("attempts", "slot"),
    ("attempts", "error"),
    ("attempts", "updated_at"),
    // The same; and before anything is paid again for such a transaction, the chain is asked about it.
    ("batches", "state"),
    ("batches", "slot"),
    ("batches", "error"),
    ("batches", "culprit"),
    ("batches", "updated_at"),
];

/// Tables that hold nothing here: what is staged for the next vault key is in force only when that key vouches for it.
const EMPTY: [&str; 6] = [
    "cached_balances",
    "cached_mints",
    "cached_token_accounts",
    "owners",
    "staged_records",
    "vault_key_rotations",
];

/// A vault with at least two rows in each table that can have two.
async fn written() -> (Fixture, Custody) {
    let fixture = Fixture::new();
    let custody = fixture.vault(4).await;
    let other = Mnemonic::from_entropy(&[8; 32]).unwrap();
    custody
        .import_phrase(&other, "", "other", PathFamily::EvmBip44)
        .await
        .unwrap();
    let request = DeriveRequest {
        family: Some(PathFamily::Bip44),
        count: 2,
        ..DeriveRequest::default()
    };
    custody.derive_wallets(request, &Progress::new()).await.unwrap();
    let import = KeyImport {
        key: ed25519::SecretKey::from_seed(&[9; 32]).into(),
        label: "cold".to_owned(),
        tags: vec!["a".to_owned(), "b".to_owned()],
        password: None,
    };
    custody.import_keys(vec![import]).await.unwrap();
    for settings in [(SettingKey::KeptKeys, 4), (SettingKey::KeptKeys, 5)] {
        custody
            .change_settings(&[settings], &password(), None)
            .await
            .unwrap();
    }
    for (nonce, lamports) in [(1, 5), (2, 6)] {
        fixture.clock.advance(1_000);
        custody.sign_transaction(transfer(lamports, nonce)).await.unwrap();
        custody.rotate_vault_key(&password(), None).await.unwrap();
        custody.audit_checkpoint().await.unwrap();
        let attempt = NewAttempt {
            wallet: first(),
            recipient: recipient(),
            amount: Lamports::new(lamports).into(),
            signature: Signature::new([nonce; 64]),
            transaction: vec![nonce; 9],
            last_valid_block_height: 7,
            network: "net".to_owned(),
            nonce: None,
        };
        custody.record_attempt(attempt, Repeat::Refuse).await.unwrap();
        let contact = NewContact {
            address: Address::new([100 + nonce; 32]),
            label: format!("contact {nonce}"),
            note: "rent".to_owned(),
        };
        custody.add_contacts(vec![contact]).await.unwrap();
        job(&custody, nonce).await;
    }
    (fixture, custody)
}

/// A job of two items, each in a recorded transaction; of another number all of it is another.
async fn job(custody: &Custody, number: u8) {
    let id = JobId::new([number; 16]);
    let item = |at: u32| NewItem {
        number: at,
        source: first(),
        recipient: Address::new([number + 10 * (1 + u8::try_from(at).unwrap()); 32]),
        amount: u64::from(number) * 100 + u64::from(at),
        action: match at {
            0 => ItemAction::PaySol,
            _ => ItemAction::DrainSol,
        },
        memo: Some(format!("memo {number} {at}")),
    };
    let wallets = custody.wallets(&WalletQuery::default()).await.unwrap().rows;
    let payer = wallets
        .iter()
        .filter_map(|wallet| wallet.solana())
        .nth(usize::from(number));
    let job = NewJob {
        id,
        kind: if number == 1 {
            JobKind::Distribution
        } else {
            JobKind::Closing
        },
        label: format!("job {number}"),
        network: format!("net {number}"),
        fee_payer: *payer.unwrap(),
        format: if number == 1 {
            JobFormat::Legacy
        } else {
            JobFormat::V1
        },
        fee: FeePolicy::Fixed {
            micro_lamports: u64::from(number),
        },
        options_json: format!("{{\"number\":{number}}}"),
        items: vec![item(0), item(1)],
        groups: vec![vec![0], vec![1]],
    };
    custody.create_job(job).await.unwrap();
    for at in 0..2 {
        let signature = number * 16 + u8::try_from(at).unwrap();
        let batch = Batch {
            number: 0,
            signature: Signature::new([signature; 64]),
            transaction: vec![signature; 99],
            lifetime: Lifetime::Blockhash {
                last_valid_block_height: u64::from(signature),
            },
            fee: Lamports::new(u64::from(signature)),
            items: vec![BatchItem {
                item: at,
                amount: u64::from(signature),
                instructions: at + 1,
            }],
            state: BatchState::Signed,
            slot: None,
            error: None,
            culprit: None,
            created_ms: 0,
        };
        custody.record_job_batch(id, batch).await.unwrap();
    }
    if number == 2 {
        custody.pause_job(id, "no reason").await.unwrap();
    }
}

/// Whether a verification, with the vault open, says that something is wrong.
async fn noticed(custody: &Custody) -> bool {
    match custody.audit_verify(None).await {
        Ok(AuditReport::Intact { .. }) => false,
        Ok(AuditReport::Broken { .. }) => true,
        Err(CustodyError::Busy | CustodyError::Locked | CustodyError::Unreachable { .. }) => {
            panic!("nothing was looked at")
        }
        Err(_) => true,
    }
}

/// A table with the rows that are changed.
struct Target {
    name: String,
    columns: Vec<Column>,
    /// What tells up to two rows, as conditions.
    rows: Vec<String>,
}

impl Target {
    async fn all(fixture: &Fixture) -> Vec<Self> {
        let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
        for column in fixture.place.columns().await {
            tables.entry(column.table.clone()).or_default().push(column);
        }
        let mut targets = Vec::new();
        for (name, columns) in tables {
            let key: Vec<&Column> = columns.iter().filter(|column| column.key > 0).collect();
            assert!(!key.is_empty(), "{name} has no key");
            let condition: Vec<String> = key
                .iter()
                .map(|column| format!("'{} = ' || {}", column.name, column.literal(&column.name)))
                .collect();
            let query = format!(
                "SELECT {} FROM {name} ORDER BY 1 LIMIT 2",
                condition.join(" || ' AND ' || ")
            );
            let rows = fixture.place.texts(&query).await;
            targets.push(Self { name, columns, rows });
        }
        targets
    }

    /// The values of a row as literals.
    async fn literals(&self, fixture: &Fixture, row: &str) -> Vec<String> {
        let mut literals = Vec::new();
        for column in &self.columns {
            literals.push(self.literal(fixture, column, &column.name, row).await);
        }
        assert_eq!(literals.len(), self.columns.len());
        literals
    }

    /// The literal of an expression of a column's type.
    async fn literal(&self, fixture: &Fixture, column: &Column, expression: &str, row: &str) -> String {
        let literal = column.literal(expression);
        let query = format!("SELECT {literal} FROM {} WHERE {row}", self.name);
        let found = fixture.place.texts(&query).await;
        assert_eq!(found.len(), 1, "{query}");
        found.into_iter().next().unwrap()
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        names.join(", ")
    }

    fn set(&self, column: &Column, value: &str, row: &str) -> String {
        format!("UPDATE {} SET {} = {value} WHERE {row}", self.name, column.name)
    }
}

async fn run(fixture: &Fixture, statement: &str) {
    assert!(fixture.place.attempt(statement).await, "{statement}");
}

/// What was undone is as it was: a test that leaves something behind would notice everything after it.
async fn whole_again(custody: &Custody, what: &str) {
    if !custody.is_unlocked() {
        custody.unlock(&password(), None).await.unwrap();
    }
    match custody.audit_verify(None).await {
        Ok(AuditReport::Intact { .. }) => {}
        other => panic!("after {what} was undone: {other:?}"),
    }
}

#[tokio::test]
async fn a_changed_value_is_noticed() {
    let (fixture, custody) = written().await;
    fixture.place.uncheck().await;
    let mut unnoticed = BTreeSet::new();
    let mut empty = BTreeSet::new();
    let mut changed = 0;
    for target in Target::all(&fixture).await {
        let Some(row) = target.rows.first() else {
            empty.insert(target.name.clone());
            continue;
        };
        for column in &target.columns {
            // Each time anew: a verification that finds all well is in the log itself.
            let before = &target.literal(&fixture, column, &column.name, row).await;
            let place = format!("{}.{}", target.name, column.name);
            let another = target.literal(&fixture, column, &column.another(), row).await;
            assert_ne!(another, *before, "{place}");
            run(&fixture, &target.set(column, &another, row)).await;
            if !noticed(&custody).await {
                unnoticed.insert((target.name.clone(), column.name.clone()));
            }
            changed += 1;
            // If it is of the key, the row has another name meanwhile.
            let row_now = row.replace(
                &format!("{} = {before}", column.name),
                &format!("{} = {another}", column.name),
            );
            run(&fixture, &target.set(column, before, &row_now)).await;
            whole_again(&custody, &place).await;
        }
    }
    assert!(changed > 100, "only {changed} columns");
    let named = |(table, column): &(&str, &str)| ((*table).to_owned(), (*column).to_owned());
    // SQLite's own check sees that a landed transaction without its slot is none; a likelier value would pass.
    let expected: BTreeSet<_> = UNNOTICED.iter().map(named).collect();
    assert!(unnoticed.is_subset(&expected), "{unnoticed:?}");
    assert!(unnoticed.len() >= 7, "{unnoticed:?}");
    assert_eq!(empty, EMPTY.iter().map(|name| (*name).to_owned()).collect());
}

#[tokio::test]
async fn a_row_taken_away_or_doubled_is_noticed() {
    let (fixture, custody) = written().await;
    fixture.place.uncheck().await;
    let mut doubled = 0;
    for target in Target::all(&fixture).await {
        let Some(row) = target.rows.first() else { continue };
        let values = target.literals(&fixture, row).await;
        let insert = |values: &[String]| {
            let values = values.join(", ");
            format!(
                "INSERT INTO {} ({}) VALUES ({values})",
                target.name,
                target.names()
            )
        };
        run(&fixture, &format!("DELETE FROM {} WHERE {row}", target.name)).await;
        assert!(noticed(&custody).await, "a row of {} was taken away", target.name);
        run(&fixture, &insert(&values)).await;
        whole_again(&custody, &target.name).await;
        // Under another key, with what else must be another value as well.
        for column in target.columns.iter().filter(|column| column.key > 0) {
            let another = target.literal(&fixture, column, &column.another(), row).await;
            let mut values = values.clone();
            for (other, value) in target.columns.iter().zip(&mut values) {
                if other.name == column.name {
                    value.clone_from(&another);
                } else if ["address", "record_id", "signature", "singleton"].contains(&other.name.as_str())
                    && other.key == 0
                {
                    *value = target.literal(&fixture, other, &other.another(), row).await;
                }
            }
            if !fixture.place.attempt(&insert(&values)).await {
                continue;
            }
            doubled += 1;
            assert!(noticed(&custody).await, "a row of {} was doubled", target.name);
            let mut condition = format!("{} = {another}", column.name);
            for (other, value) in target.columns.iter().zip(&values) {
                if other.key > 0 && other.name != column.name {
                    condition.push_str(&format!(" AND {} = {value}", other.name));
                }
            }
            run(
                &fixture,
                &format!("DELETE FROM {} WHERE {condition}", target.name),
            )
            .await;
            whole_again(&custody, &target.name).await;
        }
    }
    assert!(doubled >= 10, "only {doubled} rows could be doubled");
}

#[tokio::test]
async fn values_swapped_between_two_rows_are_noticed() {
    let (fixture, custody) = written().await;
    fixture.place.uncheck().await;
    let mut swapped = 0;
    for target in Target::all(&fixture).await {
        let [one, other] = target.rows.as_slice() else {
            continue;
        };
        let (first, second) = (
            target.literals(&fixture, one).await,
            target.literals(&fixture, other).await,
        );
        for (at, column) in target.columns.iter().enumerate() {
            let (a, b) = (&first[at], &second[at]);
            let unsealed = UNNOTICED.contains(&(target.name.as_str(), column.name.as_str()));
            if a == b || column.key > 0 || unsealed {
                continue;
            }
            // By way of a third value, where two rows cannot have the same.
            let third = target.literal(&fixture, column, &column.another(), one).await;
            let exchange = async |to_one: &str, to_other: &str| {
                run(&fixture, &target.set(column, &third, one)).await;
                run(&fixture, &target.set(column, to_other, other)).await;
                run(&fixture, &target.set(column, to_one, one)).await;
            };
            exchange(b, a).await;
            assert!(
                noticed(&custody).await,
                "{}.{} was swapped",
                target.name,
                column.name
            );
            swapped += 1;
            exchange(a, b).await;
            whole_again(&custody, &column.name).await;
        }
    }
    assert!(swapped > 25, "only {swapped} columns were swapped");
}

#[tokio::test]
async fn what_was_changed_while_the_vault_was_closed_is_found_and_said() {
    let (fixture, custody) = written().await;
    custody.close().await.unwrap();
    for (statement, table) in [
        (
            "UPDATE wallets SET label = 'mine' WHERE label = 'cold'",
            "wallets",
        ),
        (
            "UPDATE derivations SET next_index = next_index + 1",
            "derivations",
        ),
        ("DELETE FROM spend_reservations", "spend_reservations"),
        ("DELETE FROM vault_settings", "vault_settings"),
        (
            "DELETE FROM policies WHERE version = 0 OR version = 1",
            "policies",
        ),
        (
            "UPDATE wallets SET failed_passwords = 2 WHERE label = 'cold'",
            "wallets",
        ),
        (
            "UPDATE intents SET authorised_at = (SELECT MIN(created_at) FROM wallets)",
            "intents",
        ),
        ("DELETE FROM audit_checkpoints", "audit_checkpoints"),
    ] {
        let copy = fixture.copied();
        copy.sql(statement).await;
        let custody = copy.unlocked().await;
        match custody.audit_verify(None).await {
            Ok(AuditReport::Broken { reason, .. }) => {
                assert!(reason.contains(table), "{statement}: {reason}");
                assert!(!reason.contains(PASSWORD));
            }
            // Intents refer to it, and a server's own rules are looked at first.
            Err(CustodyError::Damaged { .. }) if table == "policies" => {}
            other => panic!("{statement}: {other:?}"),
        }
    }
    // And nothing is found where nothing was changed.
    let copy = fixture.copied();
    let custody = copy.unlocked().await;
    assert!(!noticed(&custody).await);
}

#[tokio::test]
async fn a_seal_that_was_taken_away_or_put_back_is_noticed() {
    let (fixture, custody) = written().await;
    custody.close().await.unwrap();
    let older = fixture.blob("SELECT seal FROM audit_state").await;
    let custody = fixture.unlocked().await;
    custody.set_label(first(), "warm").await.unwrap();
    custody.close().await.unwrap();
    for seal in ["NULL".to_owned(), format!("x'{}'", hex(&older))] {
        let copy = fixture.copied();
        copy.sql(&format!("UPDATE audit_state SET seal = {seal}")).await;
        let custody = copy.open().await;
        let error = custody.unlock(&password(), None).await.unwrap_err();
        assert!(matches!(error, CustodyError::AuditBroken { .. }), "{error:?}");
        assert!(error.to_string().contains("seal"), "{error}");
    }
}

#[tokio::test]
async fn an_older_vault_is_sealed_when_it_is_unlocked() {
    let (fixture, custody) = written().await;
    custody.close().await.unwrap();
    // As it was before there were seals: none there, and no word of one in the log.
    let told = "UPDATE audit_entries SET details = replace(details, ', sealed', '') WHERE sequence = 0";
    fixture.sql(told).await;
    fixture.sql("UPDATE audit_state SET seal = NULL").await;
    let custody = fixture.unlocked().await;
    assert_eq!(
        fixture.number("SELECT length(seal) FROM audit_state").await,
        1_218
    );
    let query = AuditQuery {
        operation: Some(Operation::SealState),
        ..AuditQuery::default()
    };
    assert_eq!(custody.audit_entries(&query).await.unwrap().total, 1);
    custody.sign_transaction(transfer(11, 11)).await.unwrap();
    custody.close().await.unwrap();
    // The log itself was changed for this test; put back, all of it is whole.
    fixture
        .sql("UPDATE audit_entries SET details = details || ', sealed' WHERE sequence = 0")
        .await;
    let custody = fixture.unlocked().await;
    assert!(!noticed(&custody).await);
    assert_eq!(custody.audit_entries(&query).await.unwrap().total, 1);
    // Now it is known to have one.
    fixture.sql("UPDATE audit_state SET seal = NULL").await;
    fixture.sql(told).await;
    custody.close().await.unwrap();
    let error = fixture.open().await.unlock(&password(), None).await.unwrap_err();
    assert!(error.to_string().contains("taken away"), "{error}");
}

#[tokio::test]
async fn an_older_copy_of_the_whole_database_is_noticed_by_a_checkpoint_kept_elsewhere() {
    let (fixture, custody) = written().await;
    custody.close().await.unwrap();
    let older = fixture.copied();
    let custody = fixture.unlocked().await;
    custody.sign_transaction(transfer(9, 9)).await.unwrap();
    let checkpoint = custody.audit_checkpoint().await.unwrap();
    let custody = older.unlocked().await;
    // By itself it is whole: nothing in it says that there was more.
    assert!(!noticed(&custody).await);
    match custody.audit_verify(Some(&checkpoint)).await.unwrap() {
        AuditReport::Broken { reason, .. } => assert!(reason.contains("cut off"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
