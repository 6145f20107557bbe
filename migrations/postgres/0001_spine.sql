-- The tables that the spine crosses, on PostgreSQL and what speaks its SQL. The same tables and rules as in
-- migrations/sqlite; where a type differs, here is why. Conventions, for every later migration too:
--   * Nothing that a distributed engine refuses: no triggers, functions, advisory locks, LISTEN, exclusion
--     constraints, sequences or identity columns (decision 0012). Ids are the highest one and one more, counted under
--     the lock that every writer takes.
--   * Every `*_at` and `locked_until` is a TIMESTAMPTZ and holds whole milliseconds, except in the audit log: its times
--     are what the leaves hash, so they stay the very number, whatever it is.
--   * Addresses and signatures are base58 or hexadecimal text, since people search for pieces of them; ids of 16 bytes
--     are UUIDs; hashes, keys and sealed bytes are BYTEA with their length checked.
--   * BIGINT even where 32 bits would do: INTEGER has 64 bits on some engines, and the program reads one type.

CREATE TABLE vaults (
    vault_id       UUID NOT NULL PRIMARY KEY,
    -- One vault in one database: the second row is impossible, not merely unexpected.
    singleton      BIGINT NOT NULL DEFAULT 1 CONSTRAINT vaults_one UNIQUE CHECK (singleton = 1),
    -- The whole header with its key slots, under one MAC: see migrations/sqlite.
    header         BYTEA NOT NULL CHECK (length(header) BETWEEN 1 AND 65536),
    audit_key      BYTEA NOT NULL CHECK (length(audit_key) = 32),
    failed_unlocks BIGINT NOT NULL DEFAULT 0 CHECK (failed_unlocks >= 0),
    locked_until   TIMESTAMPTZ NOT NULL DEFAULT '1970-01-01 00:00:00+00'
                   CHECK (locked_until >= '1970-01-01 00:00:00+00'),
    created_at     TIMESTAMPTZ NOT NULL CHECK (created_at >= '1970-01-01 00:00:00+00')
);

CREATE TABLE master_wallets (
    -- The lowest is the phrase that the vault was made with, and the one meant where none is named.
    master_id   BIGINT NOT NULL PRIMARY KEY,
    vault_id    UUID NOT NULL REFERENCES vaults (vault_id),
    record_id   UUID NOT NULL UNIQUE,
    epoch       BIGINT NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
    -- The family meant where none is named.
    path_family TEXT NOT NULL CHECK (length(path_family) BETWEEN 1 AND 32),
    label       TEXT NOT NULL DEFAULT '' CHECK (length(label) <= 64),
    sealed      BYTEA NOT NULL CHECK (length(sealed) BETWEEN 1 AND 4096),
    created_at  TIMESTAMPTZ NOT NULL CHECK (created_at >= '1970-01-01 00:00:00+00')
);

CREATE TABLE wallets (
    wallet_id        BIGINT NOT NULL PRIMARY KEY,
    chain            TEXT NOT NULL CHECK (chain IN ('solana', 'evm')),
    -- Where the key came from: all three for a derived wallet, none for an imported one.
    master_id        BIGINT REFERENCES master_wallets (master_id),
    path_family      TEXT CHECK (length(path_family) BETWEEN 1 AND 32),
    derivation_index BIGINT CHECK (derivation_index BETWEEN 0 AND 2147483647),
    path             TEXT NOT NULL,
    -- One spelling each, so the same key is never there twice.
    address          TEXT NOT NULL UNIQUE CHECK (length(address) BETWEEN 32 AND 44),
    public_key       BYTEA CHECK (length(public_key) = 33),
    label            TEXT NOT NULL DEFAULT '' CHECK (length(label) <= 64),
    -- Each once, none empty. How long one may be is checked of all together: a check of each would need a function.
    tags             TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[]
                     CHECK (array_position(tags, '') IS NULL AND array_position(tags, NULL) IS NULL)
                     CHECK (length(array_to_string(tags, '')) <= 32 * COALESCE(array_length(tags, 1), 0)),
    last_used_at     TIMESTAMPTZ CHECK (last_used_at >= '1970-01-01 00:00:00+00'),
    created_at       TIMESTAMPTZ NOT NULL CHECK (created_at >= '1970-01-01 00:00:00+00'),
    own_password     BOOLEAN NOT NULL DEFAULT FALSE,
    failed_passwords BIGINT NOT NULL DEFAULT 0 CHECK (failed_passwords >= 0),
    locked_until     TIMESTAMPTZ NOT NULL DEFAULT '1970-01-01 00:00:00+00'
                     CHECK (locked_until >= '1970-01-01 00:00:00+00'),
    epoch            BIGINT NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
    record_id        UUID NOT NULL,
    sealed           BYTEA NOT NULL CHECK (length(sealed) BETWEEN 1 AND 4096),
    UNIQUE (master_id, path_family, derivation_index),
    CHECK ((chain = 'evm') = (public_key IS NOT NULL)),
    CHECK ((master_id IS NULL) = (path_family IS NULL)),
    CHECK ((master_id IS NULL) = (derivation_index IS NULL))
);

CREATE INDEX wallets_label ON wallets (label) WHERE label <> '';
CREATE INDEX wallets_tags ON wallets USING GIN (tags);

CREATE TABLE policies (
    version    BIGINT NOT NULL PRIMARY KEY CHECK (version BETWEEN 1 AND 4294967295),
    vault_id   UUID NOT NULL REFERENCES vaults (vault_id),
    -- Text and not JSON: the signature is over these very bytes.
    body       TEXT NOT NULL CHECK (CAST(body AS JSONB) IS NOT NULL),
    signature  BYTEA NOT NULL CHECK (length(signature) = 64),
    created_at TIMESTAMPTZ NOT NULL CHECK (created_at >= '1970-01-01 00:00:00+00')
);

CREATE TABLE intents (
    intent_hash    BYTEA NOT NULL PRIMARY KEY CHECK (length(intent_hash) = 32),
    wallet_id      BIGINT NOT NULL REFERENCES wallets (wallet_id),
    kind           TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 32),
    network        TEXT NOT NULL CHECK (length(network) <= 128),
    policy_version BIGINT NOT NULL REFERENCES policies (version),
    message_sha256 BYTEA NOT NULL CHECK (length(message_sha256) = 32),
    state          TEXT NOT NULL CHECK (state IN ('authorised', 'signed', 'failed')),
    signature      TEXT CHECK (length(signature) BETWEEN 64 AND 132),
    authorised_at  TIMESTAMPTZ NOT NULL CHECK (authorised_at >= '1970-01-01 00:00:00+00'),
    finished_at    TIMESTAMPTZ,
    CHECK (finished_at >= authorised_at),
    CHECK ((state = 'signed') = (signature IS NOT NULL)),
    CHECK ((state = 'authorised') = (finished_at IS NULL))
);

CREATE INDEX intents_wallet_authorised ON intents (wallet_id, authorised_at);

CREATE TABLE spend_reservations (
    intent_hash BYTEA NOT NULL REFERENCES intents (intent_hash),
    asset       TEXT NOT NULL CHECK (length(asset) BETWEEN 1 AND 96),
    wallet_id   BIGINT NOT NULL REFERENCES wallets (wallet_id),
    -- 128 bits, unsigned: sums of NUMERIC are exact, so one column does what takes four on SQLite.
    amount      NUMERIC(39, 0) NOT NULL CHECK (amount BETWEEN 0 AND 340282366920938463463374607431768211455),
    -- The same as the intent's authorised_at.
    reserved_at TIMESTAMPTZ NOT NULL CHECK (reserved_at >= '1970-01-01 00:00:00+00'),
    PRIMARY KEY (asset, reserved_at, intent_hash)
);

CREATE TABLE attempts (
    attempt_id              BIGINT NOT NULL PRIMARY KEY,
    wallet_id               BIGINT NOT NULL REFERENCES wallets (wallet_id),
    recipient               TEXT NOT NULL CHECK (length(recipient) BETWEEN 32 AND 44),
    lamports                BIGINT NOT NULL CHECK (lamports >= 0),
    signature               TEXT NOT NULL UNIQUE CHECK (length(signature) BETWEEN 64 AND 88),
    wire_bytes              BYTEA NOT NULL CHECK (length(wire_bytes) BETWEEN 1 AND 4096),
    last_valid_block_height BIGINT NOT NULL CHECK (last_valid_block_height >= 0),
    network                 TEXT NOT NULL CHECK (length(network) <= 128),
    state                   TEXT NOT NULL CHECK (state IN ('signed', 'sent', 'confirmed', 'finalized', 'failed', 'expired')),
    slot                    BIGINT CHECK (slot >= 0),
    error                   TEXT CHECK (length(error) <= 2000),
    created_at              TIMESTAMPTZ NOT NULL CHECK (created_at >= '1970-01-01 00:00:00+00'),
    updated_at              TIMESTAMPTZ NOT NULL,
    CHECK (updated_at >= created_at),
    CHECK (state NOT IN ('signed', 'sent', 'expired') OR slot IS NULL),
    CHECK (state NOT IN ('confirmed', 'finalized') OR (slot IS NOT NULL AND error IS NULL))
);

CREATE INDEX attempts_wallet ON attempts (wallet_id, attempt_id);
CREATE INDEX attempts_unresolved ON attempts (attempt_id) WHERE state IN ('signed', 'sent');

CREATE TABLE audit_entries (
    sequence       BIGINT NOT NULL PRIMARY KEY CHECK (sequence >= 0),
    recorded_at    BIGINT NOT NULL CHECK (recorded_at >= 0),
    actor          TEXT NOT NULL,
    operation      TEXT NOT NULL,
    wallet         TEXT,
    outcome        TEXT NOT NULL,
    reason         TEXT NOT NULL,
    subject        BYTEA CHECK (length(subject) = 32),
    details        TEXT NOT NULL,
    leaf_hash      BYTEA NOT NULL CHECK (length(leaf_hash) = 32),
    head_signature BYTEA CHECK (length(head_signature) = 64)
);

CREATE INDEX audit_entries_wallet ON audit_entries (wallet, sequence) WHERE wallet IS NOT NULL;

-- The edge of the tree, and the row that every writer locks first: the log is one chain.
CREATE TABLE audit_state (
    singleton       BIGINT NOT NULL PRIMARY KEY CHECK (singleton = 1),
    size            BIGINT NOT NULL CHECK (size >= 0),
    frontier        BYTEA NOT NULL,
    signed_size     BIGINT NOT NULL,
    signed_frontier BYTEA NOT NULL,
    head_signature  BYTEA NOT NULL CHECK (length(head_signature) = 64),
    last_at         BIGINT NOT NULL CHECK (last_at >= 0),
    CHECK (signed_size BETWEEN 0 AND size)
);

CREATE TABLE audit_checkpoints (
    size       BIGINT NOT NULL PRIMARY KEY CHECK (size > 0),
    root       BYTEA NOT NULL CHECK (length(root) = 32),
    note       TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL CHECK (created_at >= '1970-01-01 00:00:00+00')
);
