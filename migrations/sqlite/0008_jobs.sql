-- Jobs: payments, sweeps and closings of many, each item to be done exactly once. How far an item has come is not kept beside
-- it: it follows from what was decided about it and from the last transaction that it was in, so the two cannot disagree.
CREATE TABLE distributions (
    job_id     BLOB NOT NULL PRIMARY KEY CHECK (length(job_id) = 16),
    kind       TEXT NOT NULL CHECK (kind IN ('distribution', 'consolidation', 'closing')),
    label      TEXT NOT NULL CHECK (length(label) <= 400),
    network    TEXT NOT NULL CHECK (length(network) BETWEEN 1 AND 128),
    fee_payer  TEXT NOT NULL CHECK (length(fee_payer) BETWEEN 32 AND 44),
    format     TEXT NOT NULL CHECK (format IN ('legacy', 'v1')),
    fee        TEXT NOT NULL CHECK (length(fee) <= 128),
    options    TEXT NOT NULL CHECK (length(options) <= 65536),
    items      INTEGER NOT NULL CHECK (items >= 0),
    state      TEXT NOT NULL CHECK (state IN ('open', 'paused', 'cancelled')),
    created_at INTEGER NOT NULL CHECK (created_at >= 0),
    updated_at INTEGER NOT NULL CHECK (updated_at >= created_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX distributions_created ON distributions (created_at, job_id);

-- Amounts are decimal texts: base units of a token may need 64 bits.
CREATE TABLE transfers (
    job_id       BLOB NOT NULL REFERENCES distributions (job_id),
    item         INTEGER NOT NULL CHECK (item >= 0),
    source       TEXT NOT NULL CHECK (length(source) BETWEEN 32 AND 44),
    recipient    TEXT NOT NULL CHECK (length(recipient) BETWEEN 32 AND 44),
    amount       TEXT NOT NULL CHECK (length(amount) BETWEEN 1 AND 20),
    action       TEXT NOT NULL CHECK (length(action) BETWEEN 2 AND 2000),
    memo         TEXT CHECK (length(memo) <= 566),
    group_number INTEGER NOT NULL CHECK (group_number >= 0),
    decision     TEXT NOT NULL CHECK (decision IN ('open', 'failed', 'cancelled', 'skipped')),
    reason       TEXT CHECK (length(reason) <= 2000),
    -- Transactions up to and with this one of the job are not held against it any more: it is tried again.
    released     INTEGER NOT NULL CHECK (released >= 0),
    PRIMARY KEY (job_id, item)
) STRICT, WITHOUT ROWID;

CREATE INDEX transfers_recipient ON transfers (recipient);

-- Signed transactions, recorded before they are sent.
CREATE TABLE batches (
    job_id                  BLOB NOT NULL REFERENCES distributions (job_id),
    batch                   INTEGER NOT NULL CHECK (batch >= 1),
    signature               TEXT NOT NULL UNIQUE CHECK (length(signature) BETWEEN 64 AND 88),
    wire_bytes              BLOB NOT NULL CHECK (length(wire_bytes) BETWEEN 1 AND 4096),
    -- How long it can land: to a block height, or until its nonce is used.
    last_valid_block_height INTEGER CHECK (last_valid_block_height >= 0),
    nonce_account           TEXT CHECK (length(nonce_account) BETWEEN 32 AND 44),
    nonce                   TEXT CHECK (length(nonce) BETWEEN 32 AND 44),
    fee                     INTEGER NOT NULL CHECK (fee >= 0),
    state                   TEXT NOT NULL CHECK (state IN ('signed', 'sent', 'confirmed', 'finalized', 'failed', 'expired')),
    slot                    INTEGER CHECK (slot >= 0),
    error                   TEXT CHECK (length(error) <= 2000),
    -- The item whose instruction failed, where the cluster says which one it was.
    culprit                 INTEGER CHECK (culprit >= 0),
    created_at              INTEGER NOT NULL CHECK (created_at >= 0),
    updated_at              INTEGER NOT NULL CHECK (updated_at >= created_at),
    PRIMARY KEY (job_id, batch),
    CHECK ((last_valid_block_height IS NULL) = (nonce_account IS NOT NULL)),
    CHECK ((nonce_account IS NULL) = (nonce IS NULL)),
    CHECK (state NOT IN ('signed', 'sent', 'expired') OR slot IS NULL),
    CHECK (state NOT IN ('confirmed', 'finalized') OR (slot IS NOT NULL AND error IS NULL))
) STRICT;

CREATE INDEX batches_unresolved ON batches (job_id, batch) WHERE state IN ('signed', 'sent', 'confirmed');

CREATE TABLE batch_items (
    job_id BLOB NOT NULL,
    batch  INTEGER NOT NULL,
    item   INTEGER NOT NULL,
    -- What it comes to: planned, or decided when the transaction was built.
    amount TEXT NOT NULL CHECK (length(amount) BETWEEN 1 AND 20),
    -- How many instructions are its own. They follow one another in the order of items, after what is nobody's.
    instructions INTEGER NOT NULL CHECK (instructions >= 0),
    PRIMARY KEY (job_id, batch, item),
    FOREIGN KEY (job_id, batch) REFERENCES batches (job_id, batch),
    FOREIGN KEY (job_id, item) REFERENCES transfers (job_id, item)
) STRICT, WITHOUT ROWID;

CREATE INDEX batch_items_item ON batch_items (job_id, item, batch);
