-- What nodes said of balances, token accounts and mints: see migrations/sqlite.
CREATE TABLE cached_balances (
    network        TEXT NOT NULL COLLATE "C" CHECK (length(network) BETWEEN 1 AND 128),
    address        TEXT NOT NULL COLLATE "C" CHECK (length(address) BETWEEN 32 AND 44),
    lamports       TEXT NOT NULL CHECK (length(lamports) BETWEEN 1 AND 20),
    slot           BIGINT NOT NULL CHECK (slot >= 0),
    read_at        TIMESTAMPTZ NOT NULL CHECK (read_at >= '1970-01-01 00:00:00+00'),
    tokens_slot    BIGINT CHECK (tokens_slot >= 0),
    tokens_read_at TIMESTAMPTZ CHECK (tokens_read_at >= '1970-01-01 00:00:00+00'),
    PRIMARY KEY (network, address),
    CHECK ((tokens_slot IS NULL) = (tokens_read_at IS NULL))
);

CREATE TABLE cached_token_accounts (
    network  TEXT NOT NULL COLLATE "C" CHECK (length(network) BETWEEN 1 AND 128),
    account  TEXT NOT NULL COLLATE "C" CHECK (length(account) BETWEEN 32 AND 44),
    owner    TEXT NOT NULL COLLATE "C" CHECK (length(owner) BETWEEN 32 AND 44),
    program  TEXT NOT NULL CHECK (length(program) BETWEEN 32 AND 44),
    lamports TEXT NOT NULL CHECK (length(lamports) BETWEEN 1 AND 20),
    data     BYTEA NOT NULL CHECK (length(data) <= 65536),
    PRIMARY KEY (network, account)
);

CREATE INDEX cached_token_accounts_owner ON cached_token_accounts (network, owner);

CREATE TABLE cached_mints (
    network TEXT NOT NULL COLLATE "C" CHECK (length(network) BETWEEN 1 AND 128),
    mint    TEXT NOT NULL COLLATE "C" CHECK (length(mint) BETWEEN 32 AND 44),
    program TEXT NOT NULL CHECK (length(program) BETWEEN 32 AND 44),
    data    BYTEA NOT NULL CHECK (length(data) <= 65536),
    slot    BIGINT NOT NULL CHECK (slot >= 0),
    read_at TIMESTAMPTZ NOT NULL CHECK (read_at >= '1970-01-01 00:00:00+00'),
    PRIMARY KEY (network, mint)
);
