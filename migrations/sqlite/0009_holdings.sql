-- What nodes said of balances, token accounts and mints, each with its slot and when it was read. A cache: nothing is decided
-- by it, and everything in it can be read again. Amounts are decimal texts: base units may need 64 bits.
CREATE TABLE cached_balances (
    network        TEXT NOT NULL CHECK (length(network) BETWEEN 1 AND 128),
    address        TEXT NOT NULL CHECK (length(address) BETWEEN 32 AND 44),
    lamports       TEXT NOT NULL CHECK (length(lamports) BETWEEN 1 AND 20),
    slot           INTEGER NOT NULL CHECK (slot >= 0),
    read_at        INTEGER NOT NULL CHECK (read_at >= 0),
    -- When the owner's token accounts were read, if ever; it may have had none.
    tokens_slot    INTEGER CHECK (tokens_slot >= 0),
    tokens_read_at INTEGER CHECK (tokens_read_at >= 0),
    PRIMARY KEY (network, address),
    CHECK ((tokens_slot IS NULL) = (tokens_read_at IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE cached_token_accounts (
    network  TEXT NOT NULL CHECK (length(network) BETWEEN 1 AND 128),
    account  TEXT NOT NULL CHECK (length(account) BETWEEN 32 AND 44),
    owner    TEXT NOT NULL CHECK (length(owner) BETWEEN 32 AND 44),
    program  TEXT NOT NULL CHECK (length(program) BETWEEN 32 AND 44),
    lamports TEXT NOT NULL CHECK (length(lamports) BETWEEN 1 AND 20),
    data     BLOB NOT NULL CHECK (length(data) <= 65536),
    PRIMARY KEY (network, account)
) STRICT, WITHOUT ROWID;

CREATE INDEX cached_token_accounts_owner ON cached_token_accounts (network, owner);

CREATE TABLE cached_mints (
    network TEXT NOT NULL CHECK (length(network) BETWEEN 1 AND 128),
    mint    TEXT NOT NULL CHECK (length(mint) BETWEEN 32 AND 44),
    program TEXT NOT NULL CHECK (length(program) BETWEEN 32 AND 44),
    data    BLOB NOT NULL CHECK (length(data) <= 65536),
    slot    INTEGER NOT NULL CHECK (slot >= 0),
    read_at INTEGER NOT NULL CHECK (read_at >= 0),
    PRIMARY KEY (network, mint)
) STRICT, WITHOUT ROWID;
