-- A rotation of the vault key in stages: see migrations/sqlite, where each column is explained.

CREATE TABLE vault_key_rotations (
    singleton  BIGINT NOT NULL PRIMARY KEY CHECK (singleton = 1),
    header     BYTEA NOT NULL CHECK (length(header) BETWEEN 1 AND 65536),
    started_at TIMESTAMPTZ NOT NULL CHECK (started_at >= '1970-01-01 00:00:00+00')
);

CREATE TABLE staged_records (
    kind   TEXT NOT NULL CHECK (kind IN ('master', 'wallet')),
    row_id BIGINT NOT NULL,
    epoch  BIGINT NOT NULL CHECK (epoch BETWEEN 1 AND 4294967295),
    source BYTEA NOT NULL CHECK (length(source) = 32),
    mac    BYTEA NOT NULL CHECK (length(mac) = 32),
    sealed BYTEA NOT NULL CHECK (length(sealed) BETWEEN 2 AND 4096),
    PRIMARY KEY (kind, row_id)
);
