//! The vault of these tests: cheap to unlock, with limits that bind, and what its processes sign.

use std::sync::Arc;

use anyhow::ensure;
use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::Lamports;
use keyward_core::audit::AuditEntry;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::policy::{Asset, OperationKind, Policy, PolicyLimits, WindowLimit};
use keyward_core::solana::{MessageVersion, Transaction, compile_message, instructions};
use keyward_core::vault::{
    CreateVault, FileContents, FilePolicy, KdfParams, VaultFile, VaultHeader, VaultId,
};
use keyward_custody::{
    AuditQuery, AuditReport, Clock, Custody, DeriveRequest, OpenOptions, Password, Progress, SignRequest,
    WalletQuery, WalletSort,
};

use super::place::Place;

/// The vault's password.
pub const PASSWORD: &str = "tidal wicker omen 9041";

/// Its phrase: the one of BIP-39's first test vector.
pub const PHRASE: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

/// When its clock begins, in milliseconds since the Unix epoch.
pub const START_MS: u64 = 1_800_000_000_000;

/// Entries read at a time.
const PAGE: u32 = 1_000;

/// How long one waits for another process's write. So long that only a defect reaches it, on a busy machine too.
const BUSY_TIMEOUT_MS: u64 = 60_000;

/// The vault's password, as it is typed.
#[must_use]
pub fn password() -> Password {
    Password::new(PASSWORD.to_owned())
}

/// How these processes open a vault.
#[must_use]
pub fn options(clock: Arc<dyn Clock>, actor: &str) -> OpenOptions {
    OpenOptions {
        clock,
        actor: actor.to_owned(),
        busy_timeout_ms: BUSY_TIMEOUT_MS,
        // Many processes at once would use up what a person may lock.
        key_protection: keyward_custody::memory::Protection::Plain,
        ..OpenOptions::default()
    }
}

/// A vault with these limits over time on SOL, and so many wallets; open and unlocked.
///
/// # Errors
/// The custody layer's.
pub async fn vault(
    place: &Place,
    options: OpenOptions,
    windows: &[WindowLimit],
    wallets: u32,
) -> anyhow::Result<Custody> {
    let custody = Custody::open(&place.location()?, options).await?;
    custody
        .import_vault_file(empty_vault(windows)?, &password(), None)
        .await?;
    custody
        .import_phrase(&Mnemonic::parse(PHRASE)?, "", "", PathFamily::Bip44Change)
        .await?;
    if wallets > 0 {
        let request = DeriveRequest {
            count: wallets,
            ..DeriveRequest::default()
        };
        custody.derive_wallets(request, &Progress::default()).await?;
    }
    Ok(custody)
}

/// A limit of so many lamports within any so many milliseconds.
#[must_use]
pub const fn window(duration_ms: u64, lamports: u128) -> WindowLimit {
    WindowLimit {
        asset: Asset::Sol,
        duration_ms,
        maximum: lamports,
    }
}

/// A vault file without wallets. A new vault's policy has no windows; one from a file has those of the file.
fn empty_vault(windows: &[WindowLimit]) -> anyhow::Result<Vec<u8>> {
    let mut policy = Policy::default_for(PolicyLimits {
        sol_per_transaction: Lamports::ONE_SOL,
        tokens_per_transaction: 1_000,
        max_priority_fee: Lamports::new(1_000_000),
        evm: None,
    });
    for rule in &mut policy.rules {
        if rule.matches.operations.contains(&OperationKind::SolTransfer) {
            rule.limits.windows = windows.to_vec();
        }
    }
    let mut random = super::random::Random::new(START_MS);
    let (header, key) = VaultHeader::create(CreateVault {
        vault: VaultId::from_bytes([7; 16]),
        kdf: "scrypt-16384".parse::<KdfParams>()?,
        password: PASSWORD.as_bytes(),
        second_factor: None,
        key: bytes(&mut random),
        slot_salt: bytes(&mut random),
        wrap_salt: bytes(&mut random),
    })?;
    let contents = FileContents {
        policy: Some(FilePolicy {
            json: policy.to_json()?,
            signature: vec![0; 64],
        }),
        ..FileContents::default()
    };
    Ok(VaultFile::seal(&header, &key, &contents, bytes(&mut random))?)
}

/// 32 bytes of no importance.
pub fn bytes(random: &mut super::random::Random) -> [u8; 32] {
    let mut bytes = [0; 32];
    for piece in bytes.chunks_mut(8) {
        piece.copy_from_slice(&random.number().to_be_bytes());
    }
    bytes
}

/// The first wallets of the phrase, by index.
///
/// # Errors
/// The custody layer's.
pub async fn wallets(custody: &Custody, count: u32) -> anyhow::Result<Vec<Address>> {
    let query = WalletQuery {
        sort: WalletSort::Index,
        limit: count,
        ..WalletQuery::default()
    };
    let rows = custody.wallets(&query).await?.rows;
    Ok(rows
        .iter()
        .filter_map(|wallet| wallet.solana().copied())
        .collect())
}

/// A payment; its number makes it another transaction.
///
/// # Errors
/// When it does not compile, which it does.
pub fn payment(from: Address, lamports: u64, number: u64) -> anyhow::Result<SignRequest> {
    let transfer = instructions::sol_transfer(from, Address::new([7; 32]), Lamports::new(lamports));
    let mut hash = [9; 32];
    let (first, _) = hash.split_at_mut(8);
    first.copy_from_slice(&number.to_be_bytes());
    let message = compile_message(MessageVersion::Legacy, from, &[transfer], Blockhash::new(hash))?;
    Ok(SignRequest::new(Transaction::unsigned(message).encode(), "test"))
}

/// The log's entries from one on, below `size`.
///
/// # Errors
/// When one is not there, or the custody layer's.
pub async fn entries(custody: &Custody, first: u64, size: u64) -> anyhow::Result<Vec<AuditEntry>> {
    let mut entries = Vec::new();
    let mut next = first;
    while next < size {
        let query = AuditQuery {
            after_sequence: next.checked_sub(1),
            before_sequence: Some(size),
            limit: PAGE,
            newest_first: false,
            ..AuditQuery::default()
        };
        let rows = custody.audit_entries(&query).await?.rows;
        ensure!(!rows.is_empty(), "the log ends at {next} of {size}");
        for row in rows {
            ensure!(row.sequence == next, "entry {next} is not there, or twice");
            next += 1;
            entries.push(row);
        }
    }
    Ok(entries)
}

/// The audit log as it is, which must verify.
///
/// # Errors
/// When it is broken, or the custody layer's.
pub async fn intact(custody: &Custody) -> anyhow::Result<u64> {
    match custody.audit_verify(None).await? {
        AuditReport::Intact { entries, .. } => Ok(entries),
        broken @ AuditReport::Broken { .. } => anyhow::bail!("the audit log: {broken:?}"),
    }
}
