-- The tables that the spine crosses. Conventions, for every later migration too:
--   * STRICT tables: a column holds the type it says, so a text in a number's place cannot get in.
--   * Every `*_at` is milliseconds since the Unix epoch.
--   * Amounts are whole base units (lamports, token units); never a float.
--   * Addresses and signatures are base58 text, since people search for pieces of them; ids, hashes and sealed
--     bytes are blobs.

CREATE TABLE vaults (
    vault_id       BLOB NOT NULL PRIMARY KEY CHECK (length(vault_id) = 16),
    -- One vault in one SQLite file: the second row is impossible, not merely unexpected.
    singleton      INTEGER NOT NULL DEFAULT 1 UNIQUE CHECK (singleton = 1),
    -- The whole header with its key slots, under one MAC: changing a password replaces it at once. Slots are not
    -- rows of their own, because a slot taken away or put back must break the MAC.
    header         BLOB NOT NULL CHECK (length(header) BETWEEN 1 AND 65536),
    -- Public half of the key that signs the audit log; compared with the vault key's at every unlock.
    audit_key      BLOB NOT NULL CHECK (length(audit_key) = 32),
    -- Counted up before a password is tried and back to 0 when it opens, so that neither a crash nor a second
    -- process gives a free guess.
    failed_unlocks INTEGER NOT NULL DEFAULT 0 CHECK (failed_unlocks >= 0),
    locked_until   INTEGER NOT NULL DEFAULT 0 CHECK (locked_until >= 0),
    created_at     INTEGER NOT NULL CHECK (created_at >= 0)
) STRICT;

CREATE TABLE master_wallets (
    master_id   INTEGER NOT NULL PRIMARY KEY,
    vault_id    BLOB NOT NULL REFERENCES vaults (vault_id),
    record_id   BLOB NOT NULL UNIQUE CHECK (length(record_id) = 16),
    epoch       INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
    path_family TEXT NOT NULL CHECK (path_family IN ('bip44-change', 'bip44', 'bip44-root', 'sollet', 'raw')),
    -- The next index handed out when none is asked for by number. Kept here, not computed as a maximum, so that
    -- two processes deriving at once cannot be given the same one.
    next_index  INTEGER NOT NULL DEFAULT 0 CHECK (next_index BETWEEN 0 AND 2147483648),
    sealed      BLOB NOT NULL CHECK (length(sealed) BETWEEN 1 AND 4096),
    created_at  INTEGER NOT NULL CHECK (created_at >= 0)
) STRICT;

CREATE TABLE wallets (
    wallet_id        INTEGER NOT NULL PRIMARY KEY,
    master_id        INTEGER NOT NULL REFERENCES master_wallets (master_id),
    derivation_index INTEGER NOT NULL CHECK (derivation_index BETWEEN 0 AND 2147483647),
    path             TEXT NOT NULL,
    address          TEXT NOT NULL UNIQUE CHECK (length(address) BETWEEN 32 AND 44),
    label            TEXT NOT NULL DEFAULT '' CHECK (length(label) <= 64),
    last_used_at     INTEGER CHECK (last_used_at >= 0),
    created_at       INTEGER NOT NULL CHECK (created_at >= 0),
    epoch            INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 4294967295),
    record_id        BLOB NOT NULL CHECK (length(record_id) = 16),
    -- Last, so that a scan for a piece of a label need not step over it.
    sealed           BLOB NOT NULL CHECK (length(sealed) BETWEEN 1 AND 4096),
    UNIQUE (master_id, derivation_index)
) STRICT;

-- Most wallets never get a label: a partial index keeps bulk inserts cheap. There is none on last_used_at, which
-- would cost every signature a page; sorting ten thousand rows by it takes a few milliseconds.
CREATE INDEX wallets_label ON wallets (label) WHERE label <> '';

-- Tags are rows on SQLite, which has no arrays; on PostgreSQL they are wallets.tags TEXT[] under a GIN index.
CREATE TABLE tags (
    wallet_id INTEGER NOT NULL REFERENCES wallets (wallet_id),
    tag       TEXT NOT NULL CHECK (length(tag) BETWEEN 1 AND 32),
    PRIMARY KEY (wallet_id, tag)
) STRICT, WITHOUT ROWID;

CREATE INDEX tags_tag ON tags (tag, wallet_id);

CREATE TABLE policies (
    version    INTEGER NOT NULL PRIMARY KEY CHECK (version BETWEEN 1 AND 4294967295),
    vault_id   BLOB NOT NULL REFERENCES vaults (vault_id),
    body       TEXT NOT NULL CHECK (json_valid(body)),
    -- By a key derived from the vault key: a policy edited in the file is refused when it would be used.
    signature  BLOB NOT NULL CHECK (length(signature) = 64),
    created_at INTEGER NOT NULL CHECK (created_at >= 0)
) STRICT;

-- One row for each thing ever authorised to be signed. Its hash is the key, which is what makes asking twice
-- harmless. Refused requests are in the audit log only.
CREATE TABLE intents (
    intent_hash    BLOB NOT NULL PRIMARY KEY CHECK (length(intent_hash) = 32),
    wallet_id      INTEGER NOT NULL REFERENCES wallets (wallet_id),
    kind           TEXT NOT NULL CHECK (kind IN ('transaction', 'message')),
    network        TEXT NOT NULL CHECK (length(network) <= 128),
    policy_version INTEGER NOT NULL REFERENCES policies (version),
    message_sha256 BLOB NOT NULL CHECK (length(message_sha256) = 32),
    state          TEXT NOT NULL CHECK (state IN ('authorised', 'signed', 'failed')),
    signature      TEXT CHECK (length(signature) BETWEEN 64 AND 88),
    authorised_at  INTEGER NOT NULL CHECK (authorised_at >= 0),
    finished_at    INTEGER CHECK (finished_at >= authorised_at),
    CHECK ((state = 'signed') = (signature IS NOT NULL)),
    CHECK ((state = 'authorised') = (finished_at IS NULL))
) STRICT, WITHOUT ROWID;

-- Counts a wallet's last minute for the rate limit.
CREATE INDEX intents_wallet_authorised ON intents (wallet_id, authorised_at);

-- What an authorised intent spends. It is written before the key is opened and never taken back: a crash after
-- it may or may not have left a signature somewhere.
CREATE TABLE spend_reservations (
    intent_hash BLOB NOT NULL REFERENCES intents (intent_hash),
    asset       TEXT NOT NULL CHECK (length(asset) BETWEEN 1 AND 64),
    wallet_id   INTEGER NOT NULL REFERENCES wallets (wallet_id),
    -- Token amounts use all 64 bits and SQLite's integers are signed: two halves, so that sums stay exact.
    amount_high INTEGER NOT NULL CHECK (amount_high BETWEEN 0 AND 4294967295),
    amount_low  INTEGER NOT NULL CHECK (amount_low BETWEEN 0 AND 4294967295),
    -- The same as the intent's authorised_at.
    reserved_at INTEGER NOT NULL CHECK (reserved_at >= 0),
    -- In the order in which sliding windows are summed, and new rows come at the end. One intent reserves once:
    -- its own row can be inserted only once, in the same transaction.
    PRIMARY KEY (asset, reserved_at, intent_hash)
) STRICT, WITHOUT ROWID;

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

CREATE INDEX attempts_wallet ON attempts (wallet_id, attempt_id);
CREATE INDEX attempts_unresolved ON attempts (attempt_id) WHERE state IN ('signed', 'sent');

-- Words such as operation and outcome are not checked against a list here: the leaf hash covers every column, and
-- a list would make a database written by a newer version unreadable for no gain.
CREATE TABLE audit_entries (
    sequence       INTEGER NOT NULL PRIMARY KEY CHECK (sequence >= 0),
    recorded_at    INTEGER NOT NULL CHECK (recorded_at >= 0),
    actor          TEXT NOT NULL,
    operation      TEXT NOT NULL,
    wallet         TEXT,
    outcome        TEXT NOT NULL,
    reason         TEXT NOT NULL,
    subject        BLOB CHECK (length(subject) = 32),
    details        TEXT NOT NULL,
    leaf_hash      BLOB NOT NULL CHECK (length(leaf_hash) = 32),
    -- Over the tree that ends with this entry. NULL only where the vault was locked, and so held no key to sign.
    head_signature BLOB CHECK (length(head_signature) = 64)
) STRICT;

CREATE INDEX audit_entries_wallet ON audit_entries (wallet, sequence) WHERE wallet IS NOT NULL;

-- The tree's right edge, so that appending hashes a few nodes and not the whole log. It is no authority: the
-- signed edge is checked against its signature, and the entries after it are hashed again, before it is used.
CREATE TABLE audit_state (
    singleton       INTEGER NOT NULL PRIMARY KEY CHECK (singleton = 1),
    size            INTEGER NOT NULL CHECK (size >= 0),
    frontier        BLOB NOT NULL,
    signed_size     INTEGER NOT NULL CHECK (signed_size BETWEEN 0 AND size),
    signed_frontier BLOB NOT NULL,
    head_signature  BLOB NOT NULL CHECK (length(head_signature) = 64),
    last_at         INTEGER NOT NULL CHECK (last_at >= 0)
) STRICT;

CREATE TABLE audit_checkpoints (
    size       INTEGER NOT NULL PRIMARY KEY CHECK (size > 0),
    root       BLOB NOT NULL CHECK (length(root) = 32),
    note       TEXT NOT NULL,
    created_at INTEGER NOT NULL CHECK (created_at >= 0)
) STRICT;
