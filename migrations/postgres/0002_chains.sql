-- What SQLite's second migration added as tables of their own. There never was a PostgreSQL vault of the first schema,
-- so 0001 makes the other tables in the form that they have after both.

-- How far each path of each phrase was used.
CREATE TABLE derivations (
    master_id   BIGINT NOT NULL REFERENCES master_wallets (master_id),
    path_family TEXT NOT NULL CHECK (length(path_family) BETWEEN 1 AND 32),
    -- The next index handed out when none is asked for by number. Kept here, not computed as a maximum, so that
    -- two processes deriving at once cannot be given the same one.
    next_index  BIGINT NOT NULL DEFAULT 0 CHECK (next_index BETWEEN 0 AND 2147483648),
    PRIMARY KEY (master_id, path_family)
);

-- The keys that signed the audit log before the vault key was rotated: see migrations/sqlite.
CREATE TABLE audit_keys (
    until_sequence BIGINT NOT NULL PRIMARY KEY CHECK (until_sequence > 0),
    audit_key      BYTEA NOT NULL CHECK (length(audit_key) = 32),
    signature      BYTEA NOT NULL CHECK (length(signature) = 64)
);
