-- Whom people pay by name, and what a transfer needs besides lamports: the token it moves, and the nonce it lives by.

CREATE TABLE address_book (
    contact_id INTEGER NOT NULL PRIMARY KEY,
    vault_id   BLOB NOT NULL REFERENCES vaults (vault_id),
    -- One name for an address, and one address for a name.
    address    TEXT NOT NULL UNIQUE CHECK (length(address) BETWEEN 32 AND 44),
    label      TEXT NOT NULL UNIQUE CHECK (length(label) BETWEEN 1 AND 64),
    note       TEXT NOT NULL CHECK (length(note) <= 256),
    created_at INTEGER NOT NULL CHECK (created_at >= 0)
) STRICT;

-- Of a token: `lamports` counts its smallest units then.
ALTER TABLE attempts ADD COLUMN mint TEXT CHECK (length(mint) BETWEEN 32 AND 44);
ALTER TABLE attempts ADD COLUMN decimals INTEGER CHECK ((decimals IS NULL) = (mint IS NULL) AND decimals BETWEEN 0 AND 255);

-- A transaction with a durable nonce can land for as long as the account holds this value, at any block height.
ALTER TABLE attempts ADD COLUMN nonce_account TEXT CHECK (length(nonce_account) BETWEEN 32 AND 44);
ALTER TABLE attempts ADD COLUMN nonce_value TEXT CHECK ((nonce_value IS NULL) = (nonce_account IS NULL) AND length(nonce_value) BETWEEN 32 AND 44);

-- Whom this vault has paid, and how often: asked for with every new recipient.
CREATE INDEX attempts_recipient ON attempts (recipient, state);
