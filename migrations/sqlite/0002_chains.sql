-- Several phrases, wallets of two chains, imported keys, passwords of wallets' own, rotation of the vault key.
--
-- SQLite cannot change a column's constraints in place, so tables are made anew: the old ones are put aside under
-- another name (references follow a renamed table), copied, and dropped, those that refer to others first.

DROP INDEX wallets_label;
DROP INDEX tags_tag;
DROP INDEX intents_wallet_authorised;
DROP INDEX attempts_wallet;
DROP INDEX attempts_unresolved;

ALTER TABLE attempts RENAME TO old_attempts;
ALTER TABLE spend_reservations RENAME TO old_spend_reservations;
ALTER TABLE intents RENAME TO old_intents;
ALTER TABLE tags RENAME TO old_tags;
ALTER TABLE wallets RENAME TO old_wallets;
ALTER TABLE master_wallets RENAME TO old_master_wallets;

CREATE TABLE master_wallets (
    -- The lowest is the phrase that the vault was made with, and the one meant where none is named.
    master_id   INTEGER NOT NULL PRIMARY KEY,
    vault_id    BLOB NOT NULL REFERENCES vaults (vault_id),
    record_id   BLOB NOT NULL UNIQUE CHECK (length(record_id) = 16),
    epoch       INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
    -- The family meant where none is named.
    path_family TEXT NOT NULL CHECK (length(path_family) BETWEEN 1 AND 32),
    label       TEXT NOT NULL DEFAULT '' CHECK (length(label) <= 64),
    -- There is no fingerprint of the phrase here: whoever reads the file could test guesses of a passphrase by it.
    -- A phrase that is there already is noticed by opening the others.
    sealed      BLOB NOT NULL CHECK (length(sealed) BETWEEN 1 AND 4096),
    created_at  INTEGER NOT NULL CHECK (created_at >= 0)
) STRICT;

INSERT INTO master_wallets (master_id, vault_id, record_id, epoch, path_family, sealed, created_at)
SELECT master_id, vault_id, record_id, epoch, path_family, sealed, created_at FROM old_master_wallets;

-- How far each path of each phrase was used.
CREATE TABLE derivations (
    master_id   INTEGER NOT NULL REFERENCES master_wallets (master_id),
    -- Not checked against a list, which would make a newer version's file unreadable: the program reads what it knows.
    path_family TEXT NOT NULL CHECK (length(path_family) BETWEEN 1 AND 32),
    -- The next index handed out when none is asked for by number. Kept here, not computed as a maximum, so that
    -- two processes deriving at once cannot be given the same one.
    next_index  INTEGER NOT NULL DEFAULT 0 CHECK (next_index BETWEEN 0 AND 2147483648),
    PRIMARY KEY (master_id, path_family)
) STRICT;

INSERT INTO derivations (master_id, path_family, next_index)
SELECT master_id, path_family, next_index FROM old_master_wallets;

CREATE TABLE wallets (
    wallet_id        INTEGER NOT NULL PRIMARY KEY,
    chain            TEXT NOT NULL CHECK (chain IN ('solana', 'evm')),
    -- Where the key came from: all three for a derived wallet, none for an imported one.
    master_id        INTEGER REFERENCES master_wallets (master_id),
    path_family      TEXT CHECK (length(path_family) BETWEEN 1 AND 32),
    derivation_index INTEGER CHECK (derivation_index BETWEEN 0 AND 2147483647),
    path             TEXT NOT NULL,
    -- One spelling each: base58, or 0x with EIP-55's capitals. So the same key is never there twice, whichever phrase,
    -- family or file it came from.
    address          TEXT NOT NULL UNIQUE CHECK (length(address) BETWEEN 32 AND 44),
    -- A Solana address is its public key; an Ethereum address is only a hash of it, and the sealed record names the key.
    public_key       BLOB CHECK (length(public_key) = 33),
    label            TEXT NOT NULL DEFAULT '' CHECK (length(label) <= 64),
    last_used_at     INTEGER CHECK (last_used_at >= 0),
    created_at       INTEGER NOT NULL CHECK (created_at >= 0),
    -- Whether the record needs a password of its own: for lists; the record itself decides.
    own_password     INTEGER NOT NULL DEFAULT 0 CHECK (own_password IN (0, 1)),
    -- As in vaults: counted up before a wallet's own password is tried.
    failed_passwords INTEGER NOT NULL DEFAULT 0 CHECK (failed_passwords >= 0),
    locked_until     INTEGER NOT NULL DEFAULT 0 CHECK (locked_until >= 0),
    epoch            INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
    record_id        BLOB NOT NULL CHECK (length(record_id) = 16),
    -- Last, so that a scan for a piece of a label need not step over it.
    sealed           BLOB NOT NULL CHECK (length(sealed) BETWEEN 1 AND 4096),
    UNIQUE (master_id, path_family, derivation_index),
    CHECK ((chain = 'evm') = (public_key IS NOT NULL)),
    CHECK ((master_id IS NULL) = (path_family IS NULL)),
    CHECK ((master_id IS NULL) = (derivation_index IS NULL))
) STRICT;

INSERT INTO wallets (wallet_id, chain, master_id, path_family, derivation_index, path, address, label, last_used_at,
                     created_at, epoch, record_id, sealed)
SELECT w.wallet_id, 'solana', w.master_id, m.path_family, w.derivation_index, w.path, w.address, w.label,
       w.last_used_at, w.created_at, w.epoch, w.record_id, w.sealed
FROM old_wallets w JOIN old_master_wallets m ON m.master_id = w.master_id;

CREATE TABLE tags (
    wallet_id INTEGER NOT NULL REFERENCES wallets (wallet_id),
    tag       TEXT NOT NULL CHECK (length(tag) BETWEEN 1 AND 32),
    PRIMARY KEY (wallet_id, tag)
) STRICT, WITHOUT ROWID;

INSERT INTO tags (wallet_id, tag) SELECT wallet_id, tag FROM old_tags;

CREATE TABLE intents (
    intent_hash    BLOB NOT NULL PRIMARY KEY CHECK (length(intent_hash) = 32),
    wallet_id      INTEGER NOT NULL REFERENCES wallets (wallet_id),
    -- No list of words any more: kinds come with each chain, and a list would have to be copied with each.
    kind           TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 32),
    network        TEXT NOT NULL CHECK (length(network) <= 128),
    policy_version INTEGER NOT NULL REFERENCES policies (version),
    message_sha256 BLOB NOT NULL CHECK (length(message_sha256) = 32),
    state          TEXT NOT NULL CHECK (state IN ('authorised', 'signed', 'failed')),
    -- Base58 for Solana (at most 88), 0x with 130 digits for Ethereum.
    signature      TEXT CHECK (length(signature) BETWEEN 64 AND 132),
    authorised_at  INTEGER NOT NULL CHECK (authorised_at >= 0),
    finished_at    INTEGER CHECK (finished_at >= authorised_at),
    CHECK ((state = 'signed') = (signature IS NOT NULL)),
    CHECK ((state = 'authorised') = (finished_at IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO intents (intent_hash, wallet_id, kind, network, policy_version, message_sha256, state, signature,
                     authorised_at, finished_at)
SELECT intent_hash, wallet_id, kind, network, policy_version, message_sha256, state, signature, authorised_at,
       finished_at
FROM old_intents;

CREATE TABLE spend_reservations (
    intent_hash BLOB NOT NULL REFERENCES intents (intent_hash),
    -- The longest is a token of an Ethereum chain: eip155:<number>/erc20:0x<40 digits>.
    asset       TEXT NOT NULL CHECK (length(asset) BETWEEN 1 AND 96),
    wallet_id   INTEGER NOT NULL REFERENCES wallets (wallet_id),
    -- Amounts of 128 bits in four pieces of 32, the highest first, so that sums of each stay exact.
    amount_top  INTEGER NOT NULL DEFAULT 0 CHECK (amount_top BETWEEN 0 AND 4294967295),
    amount_upper INTEGER NOT NULL DEFAULT 0 CHECK (amount_upper BETWEEN 0 AND 4294967295),
    amount_high INTEGER NOT NULL CHECK (amount_high BETWEEN 0 AND 4294967295),
    amount_low  INTEGER NOT NULL CHECK (amount_low BETWEEN 0 AND 4294967295),
    -- The same as the intent's authorised_at.
    reserved_at INTEGER NOT NULL CHECK (reserved_at >= 0),
    -- In the order in which sliding windows are summed, and new rows come at the end. One intent reserves once:
    -- its own row can be inserted only once, in the same transaction.
    PRIMARY KEY (asset, reserved_at, intent_hash)
) STRICT, WITHOUT ROWID;

INSERT INTO spend_reservations (intent_hash, asset, wallet_id, amount_high, amount_low, reserved_at)
SELECT intent_hash, asset, wallet_id, amount_high, amount_low, reserved_at FROM old_spend_reservations;

CREATE TABLE attempts (
    attempt_id              INTEGER NOT NULL PRIMARY KEY,
    wallet_id               INTEGER NOT NULL REFERENCES wallets (wallet_id),
    recipient               TEXT NOT NULL CHECK (length(recipient) BETWEEN 32 AND 44),
    lamports                INTEGER NOT NULL CHECK (lamports >= 0),
    signature               TEXT NOT NULL UNIQUE CHECK (length(signature) BETWEEN 64 AND 88),
    wire_bytes              BLOB NOT NULL CHECK (length(wire_bytes) BETWEEN 1 AND 4096),
    last_valid_block_height INTEGER NOT NULL CHECK (last_valid_block_height >= 0),
    network                 TEXT NOT NULL CHECK (length(network) <= 128),
    state                   TEXT NOT NULL CHECK (state IN ('signed', 'sent', 'confirmed', 'finalized', 'failed', 'expired')),
    slot                    INTEGER CHECK (slot >= 0),
    error                   TEXT CHECK (length(error) <= 2000),
    created_at              INTEGER NOT NULL CHECK (created_at >= 0),
    updated_at              INTEGER NOT NULL CHECK (updated_at >= created_at),
    -- What never landed has no slot; what landed well has one and no error.
    CHECK (state NOT IN ('signed', 'sent', 'expired') OR slot IS NULL),
    CHECK (state NOT IN ('confirmed', 'finalized') OR (slot IS NOT NULL AND error IS NULL))
) STRICT;

INSERT INTO attempts (attempt_id, wallet_id, recipient, lamports, signature, wire_bytes, last_valid_block_height,
                      network, state, slot, error, created_at, updated_at)
SELECT attempt_id, wallet_id, recipient, lamports, signature, wire_bytes, last_valid_block_height, network, state,
       slot, error, created_at, updated_at
FROM old_attempts;

DROP TABLE old_attempts;
DROP TABLE old_spend_reservations;
DROP TABLE old_intents;
DROP TABLE old_tags;
DROP TABLE old_wallets;
DROP TABLE old_master_wallets;

CREATE INDEX wallets_label ON wallets (label) WHERE label <> '';
CREATE INDEX tags_tag ON tags (tag, wallet_id);
CREATE INDEX intents_wallet_authorised ON intents (wallet_id, authorised_at);
CREATE INDEX attempts_wallet ON attempts (wallet_id, attempt_id);
CREATE INDEX attempts_unresolved ON attempts (attempt_id) WHERE state IN ('signed', 'sent');

-- The keys that signed the audit log before the vault key was rotated. Each row is signed by the key in force, so it
-- cannot be made up: entries below until_sequence are held against this key.
CREATE TABLE audit_keys (
    until_sequence INTEGER NOT NULL PRIMARY KEY CHECK (until_sequence > 0),
    audit_key      BLOB NOT NULL CHECK (length(audit_key) = 32),
    signature      BLOB NOT NULL CHECK (length(signature) = 64)
) STRICT;
