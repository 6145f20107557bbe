-- Jobs: see migrations/sqlite.
CREATE TABLE distributions (
    job_id     UUID NOT NULL PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('distribution', 'consolidation', 'closing')),
    label      TEXT NOT NULL CHECK (length(label) <= 400),
    network    TEXT NOT NULL CHECK (length(network) BETWEEN 1 AND 128),
    fee_payer  TEXT NOT NULL CHECK (length(fee_payer) BETWEEN 32 AND 44),
    format     TEXT NOT NULL CHECK (format IN ('legacy', 'v1')),
    fee        TEXT NOT NULL CHECK (length(fee) <= 128),
    options    TEXT NOT NULL CHECK (length(options) <= 65536),
    items      BIGINT NOT NULL CHECK (items >= 0),
    state      TEXT NOT NULL CHECK (state IN ('open', 'paused', 'cancelled')),
    created_at TIMESTAMPTZ NOT NULL CHECK (created_at >= '1970-01-01 00:00:00+00'),
    updated_at TIMESTAMPTZ NOT NULL,
    CHECK (updated_at >= created_at)
);

CREATE INDEX distributions_created ON distributions (created_at, job_id);

CREATE TABLE transfers (
    job_id       UUID NOT NULL REFERENCES distributions (job_id),
    item         BIGINT NOT NULL CHECK (item >= 0),
    source       TEXT NOT NULL CHECK (length(source) BETWEEN 32 AND 44),
    recipient    TEXT NOT NULL CHECK (length(recipient) BETWEEN 32 AND 44),
    amount       TEXT NOT NULL CHECK (length(amount) BETWEEN 1 AND 20),
    action       TEXT NOT NULL CHECK (length(action) BETWEEN 2 AND 2000),
    memo         TEXT CHECK (length(memo) <= 566),
    group_number BIGINT NOT NULL CHECK (group_number >= 0),
    decision     TEXT NOT NULL CHECK (decision IN ('open', 'failed', 'cancelled', 'skipped')),
    reason       TEXT CHECK (length(reason) <= 2000),
    released     BIGINT NOT NULL CHECK (released >= 0),
    PRIMARY KEY (job_id, item)
);

CREATE INDEX transfers_recipient ON transfers (recipient);

CREATE TABLE batches (
    job_id                  UUID NOT NULL REFERENCES distributions (job_id),
    batch                   BIGINT NOT NULL CHECK (batch >= 1),
    signature               TEXT NOT NULL UNIQUE CHECK (length(signature) BETWEEN 64 AND 88),
    wire_bytes              BYTEA NOT NULL CHECK (length(wire_bytes) BETWEEN 1 AND 4096),
    last_valid_block_height BIGINT CHECK (last_valid_block_height >= 0),
    nonce_account           TEXT CHECK (length(nonce_account) BETWEEN 32 AND 44),
    nonce                   TEXT CHECK (length(nonce) BETWEEN 32 AND 44),
    fee                     BIGINT NOT NULL CHECK (fee >= 0),
    state                   TEXT NOT NULL CHECK (state IN ('signed', 'sent', 'confirmed', 'finalized', 'failed', 'expired')),
    slot                    BIGINT CHECK (slot >= 0),
    error                   TEXT CHECK (length(error) <= 2000),
    culprit                 BIGINT CHECK (culprit >= 0),
    created_at              TIMESTAMPTZ NOT NULL CHECK (created_at >= '1970-01-01 00:00:00+00'),
    updated_at              TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (job_id, batch),
    CHECK (updated_at >= created_at),
    CHECK ((last_valid_block_height IS NULL) = (nonce_account IS NOT NULL)),
    CHECK ((nonce_account IS NULL) = (nonce IS NULL)),
    CHECK (state NOT IN ('signed', 'sent', 'expired') OR slot IS NULL),
    CHECK (state NOT IN ('confirmed', 'finalized') OR (slot IS NOT NULL AND error IS NULL))
);

CREATE INDEX batches_unresolved ON batches (job_id, batch) WHERE state IN ('signed', 'sent', 'confirmed');

CREATE TABLE batch_items (
    job_id UUID NOT NULL,
    batch  BIGINT NOT NULL,
    item   BIGINT NOT NULL,
    amount TEXT NOT NULL CHECK (length(amount) BETWEEN 1 AND 20),
    instructions BIGINT NOT NULL CHECK (instructions >= 0),
    PRIMARY KEY (job_id, batch, item),
    FOREIGN KEY (job_id, batch) REFERENCES batches (job_id, batch),
    FOREIGN KEY (job_id, item) REFERENCES transfers (job_id, item)
);

CREATE INDEX batch_items_item ON batch_items (job_id, item, batch);
