//! The tables, in an order in which each refers only to those before it.

use super::Kind::{Amount, Boolean, Bytes, Id, Integer, Limbs, Text, Time};
use super::{Column, Kind, Table};

const fn column(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        nullable: false,
        unsealed: None,
    }
}

const fn nullable(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        nullable: true,
        unsealed: None,
    }
}

impl Column {
    const fn outside(self, reason: &'static str) -> Self {
        Self {
            unsealed: Some(reason),
            ..self
        }
    }
}

const fn table(name: &'static str, columns: &'static [Column], key: &'static [&'static str]) -> Table {
    Table {
        name,
        columns,
        key,
        refers_to_itself: None,
        unsealed: None,
    }
}

impl Table {
    const fn outside(self, reason: &'static str) -> Self {
        Self {
            unsealed: Some(reason),
            ..self
        }
    }
}

const COUNTED_LOCKED: &str = "counted while the vault is locked, when no key is at hand";
const USAGE: &str = "for people; counted with every signature, and no decision rests on it";
const FOLLOWED_LOCKED: &str = "followed while the vault is locked; what was signed and sent is sealed";

pub(crate) static VAULTS: Table = table(
    "vaults",
    &[
        column("vault_id", Id),
        column("singleton", Integer),
        column("header", Bytes),
        column("audit_key", Bytes),
        column("failed_unlocks", Integer).outside(COUNTED_LOCKED),
        column("locked_until", Time).outside(COUNTED_LOCKED),
        column("created_at", Time),
    ],
    &["vault_id"],
);

pub(crate) static VAULT_SETTINGS: Table = table(
    "vault_settings",
    &[
        column("singleton", Integer),
        column("version", Integer),
        column("body", Text),
        column("signature", Bytes),
        column("updated_at", Time),
    ],
    &["singleton"],
);

pub(crate) static POLICIES: Table = table(
    "policies",
    &[
        column("version", Integer),
        column("vault_id", Id),
        column("body", Text),
        column("signature", Bytes),
        column("created_at", Time),
    ],
    &["version"],
);

pub(crate) static AUDIT_KEYS: Table = table(
    "audit_keys",
    &[
        column("until_sequence", Integer),
        column("audit_key", Bytes),
        column("signature", Bytes),
    ],
    &["until_sequence"],
);

pub(crate) static AUDIT_CHECKPOINTS: Table = table(
    "audit_checkpoints",
    &[
        column("size", Integer),
        column("root", Bytes),
        column("note", Text),
        column("created_at", Time),
    ],
    &["size"],
);

pub(crate) static AUDIT_STATE: Table = table(
    "audit_state",
    &[
        column("singleton", Integer),
        column("size", Integer),
        column("frontier", Bytes),
        column("signed_size", Integer),
        column("signed_frontier", Bytes),
        column("head_signature", Bytes),
        column("last_at", Integer),
        nullable("seal", Bytes),
    ],
    &["singleton"],
)
.outside("the audit log's edge has a signature of its own, and is compared with its entries");

pub(crate) static AUDIT_ENTRIES: Table = table(
    "audit_entries",
    &[
        column("sequence", Integer),
        column("recorded_at", Integer),
        column("actor", Text),
        column("operation", Text),
        nullable("wallet", Text),
        column("outcome", Text),
        column("reason", Text),
        nullable("subject", Bytes),
        column("details", Text),
        column("leaf_hash", Bytes),
        nullable("head_signature", Bytes),
        nullable("client_address", Bytes),
        nullable("client_fingerprint", Bytes),
        nullable("redacted_by", Integer),
    ],
    &["sequence"],
)
.outside("the audit log is a signed tree of its own");

pub(crate) static OWNERS: Table = table(
    "owners",
    &[
        column("owner_id", Integer),
        column("vault_id", Id),
        column("name", Text),
        column("created_at", Time),
    ],
    &["owner_id"],
);

pub(crate) static MASTER_WALLETS: Table = table(
    "master_wallets",
    &[
        column("master_id", Integer),
        column("vault_id", Id),
        column("record_id", Id),
        column("epoch", Integer),
        column("path_family", Text),
        column("label", Text),
        column("sealed", Bytes),
        column("created_at", Time),
    ],
    &["master_id"],
);

pub(crate) static DERIVATIONS: Table = table(
    "derivations",
    &[
        column("master_id", Integer),
        column("path_family", Text),
        column("next_index", Integer),
    ],
    &["master_id", "path_family"],
);

pub(crate) static WALLETS: Table = Table {
    refers_to_itself: Some("previous_wallet_id"),
    ..table(
        "wallets",
        &[
            column("wallet_id", Integer),
            column("chain", Text),
            nullable("master_id", Integer),
            nullable("path_family", Text),
            nullable("derivation_index", Integer),
            column("path", Text),
            column("address", Text),
            nullable("public_key", Bytes),
            column("label", Text),
            nullable("last_used_at", Time).outside(USAGE),
            column("created_at", Time),
            column("own_password", Boolean),
            column("failed_passwords", Integer),
            column("locked_until", Time),
            column("epoch", Integer),
            column("record_id", Id),
            column("sealed", Bytes),
            column("role", Text),
            column("status", Text),
            nullable("owner_id", Integer),
            nullable("owner_slot", Integer),
            column("is_primary", Boolean),
            column("status_at", Time),
            nullable("deleted_from", Text),
            nullable("purge_after", Time),
            nullable("grace_until", Time),
            nullable("previous_wallet_id", Integer),
            nullable("rotate_every", Integer),
            nullable("rotate_at", Time),
            column("rotation_count", Integer),
            column("total_trades", Integer).outside(USAGE),
            column("total_volume", Amount).outside(USAGE),
        ],
        &["wallet_id"],
    )
};

/// Rows of their own on SQLite; on PostgreSQL an array of the wallet.
pub(crate) static TAGS: Table = table(
    "tags",
    &[column("wallet_id", Integer), column("tag", Text)],
    &["wallet_id", "tag"],
);

pub(crate) static INTENTS: Table = table(
    "intents",
    &[
        column("intent_hash", Bytes),
        column("wallet_id", Integer),
        column("kind", Text),
        column("network", Text),
        column("policy_version", Integer),
        column("message_sha256", Bytes),
        column("state", Text),
        nullable("signature", Text),
        column("authorised_at", Time),
        nullable("finished_at", Time),
    ],
    &["intent_hash"],
);

pub(crate) static SPEND_RESERVATIONS: Table = table(
    "spend_reservations",
    &[
        column("intent_hash", Bytes),
        column("asset", Text),
        column("wallet_id", Integer),
        column("amount", Limbs),
        column("reserved_at", Time),
    ],
    &["asset", "reserved_at", "intent_hash"],
);

pub(crate) static ATTEMPTS: Table = table(
    "attempts",
    &[
        column("attempt_id", Integer),
        column("wallet_id", Integer),
        column("recipient", Text),
        column("lamports", Integer),
        column("signature", Text),
        column("wire_bytes", Bytes),
        column("last_valid_block_height", Integer),
        column("network", Text),
        column("state", Text).outside(FOLLOWED_LOCKED),
        nullable("slot", Integer).outside(FOLLOWED_LOCKED),
        nullable("error", Text).outside(FOLLOWED_LOCKED),
        column("created_at", Time),
        column("updated_at", Time).outside(FOLLOWED_LOCKED),
        nullable("mint", Text),
        nullable("decimals", Integer),
        nullable("nonce_account", Text),
        nullable("nonce_value", Text),
    ],
    &["attempt_id"],
);

pub(crate) static ADDRESS_BOOK: Table = table(
    "address_book",
    &[
        column("contact_id", Integer),
        column("vault_id", Id),
        column("address", Text),
        column("label", Text),
        column("note", Text),
        column("created_at", Time),
    ],
    &["contact_id"],
);

const NOT_IN_FORCE: &str = "nothing of it is in force; the password opens the header, whose key vouches for each record \
                            before it is";

pub(crate) static VAULT_KEY_ROTATIONS: Table = table(
    "vault_key_rotations",
    &[
        column("singleton", Integer),
        column("header", Bytes),
        column("started_at", Time),
    ],
    &["singleton"],
)
.outside(NOT_IN_FORCE);

pub(crate) static STAGED_RECORDS: Table = table(
    "staged_records",
    &[
        column("kind", Text),
        column("row_id", Integer),
        column("epoch", Integer),
        column("source", Bytes),
        column("mac", Bytes),
        column("sealed", Bytes),
    ],
    &["kind", "row_id"],
)
.outside(NOT_IN_FORCE);

pub(crate) static DISTRIBUTIONS: Table = table(
    "distributions",
    &[
        column("job_id", Id),
        column("kind", Text),
        column("label", Text),
        column("network", Text),
        column("fee_payer", Text),
        column("format", Text),
        column("fee", Text),
        column("options", Text),
        column("items", Integer),
        column("state", Text),
        column("created_at", Time),
        column("updated_at", Time),
    ],
    &["job_id"],
);

pub(crate) static TRANSFERS: Table = table(
    "transfers",
    &[
        column("job_id", Id),
        column("item", Integer),
        column("source", Text),
        column("recipient", Text),
        column("amount", Text),
        column("action", Text),
        nullable("memo", Text),
        column("group_number", Integer),
        column("decision", Text),
        nullable("reason", Text),
        column("released", Integer),
    ],
    &["job_id", "item"],
);

pub(crate) static BATCHES: Table = table(
    "batches",
    &[
        column("job_id", Id),
        column("batch", Integer),
        column("signature", Text),
        column("wire_bytes", Bytes),
        nullable("last_valid_block_height", Integer),
        nullable("nonce_account", Text),
        nullable("nonce", Text),
        column("fee", Integer),
        column("state", Text).outside(FOLLOWED_LOCKED),
        nullable("slot", Integer).outside(FOLLOWED_LOCKED),
        nullable("error", Text).outside(FOLLOWED_LOCKED),
        nullable("culprit", Integer).outside(FOLLOWED_LOCKED),
        column("created_at", Time),
        column("updated_at", Time).outside(FOLLOWED_LOCKED),
    ],
    &["job_id", "batch"],
);

pub(crate) static BATCH_ITEMS: Table = table(
    "batch_items",
    &[
        column("job_id", Id),
        column("batch", Integer),
        column("item", Integer),
        column("amount", Text),
        column("instructions", Integer),
    ],
    &["job_id", "batch", "item"],
);

const A_CACHE: &str = "what nodes said, which can be read again; no decision rests on it";

pub(crate) static CACHED_BALANCES: Table = table(
    "cached_balances",
    &[
        column("network", Text),
        column("address", Text),
        column("lamports", Text),
        column("slot", Integer),
        column("read_at", Time),
        nullable("tokens_slot", Integer),
        nullable("tokens_read_at", Time),
    ],
    &["network", "address"],
)
.outside(A_CACHE);

pub(crate) static CACHED_TOKEN_ACCOUNTS: Table = table(
    "cached_token_accounts",
    &[
        column("network", Text),
        column("account", Text),
        column("owner", Text),
        column("program", Text),
        column("lamports", Text),
        column("data", Bytes),
    ],
    &["network", "account"],
)
.outside(A_CACHE);

pub(crate) static CACHED_MINTS: Table = table(
    "cached_mints",
    &[
        column("network", Text),
        column("mint", Text),
        column("program", Text),
        column("data", Bytes),
        column("slot", Integer),
        column("read_at", Time),
    ],
    &["network", "mint"],
)
.outside(A_CACHE);

/// Every table.
pub(crate) static TABLES: [&Table; 25] = [
    &VAULTS,
    &VAULT_SETTINGS,
    &POLICIES,
    &AUDIT_KEYS,
    &AUDIT_CHECKPOINTS,
    &AUDIT_STATE,
    &AUDIT_ENTRIES,
    &OWNERS,
    &MASTER_WALLETS,
    &DERIVATIONS,
    &WALLETS,
    &TAGS,
    &INTENTS,
    &SPEND_RESERVATIONS,
    &ATTEMPTS,
    &VAULT_KEY_ROTATIONS,
    &STAGED_RECORDS,
    &DISTRIBUTIONS,
    &TRANSFERS,
    &BATCHES,
    &BATCH_ITEMS,
    &ADDRESS_BOOK,
    &CACHED_BALANCES,
    &CACHED_TOKEN_ACCOUNTS,
    &CACHED_MINTS,
];
