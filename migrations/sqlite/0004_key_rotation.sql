-- A rotation of the vault key in stages: until the last of them, nothing here is in force, and all of it can be thrown
-- away. Signing reads none of it.

CREATE TABLE vault_key_rotations (
    -- One at a time: the second one goes on with the first.
    singleton  INTEGER NOT NULL PRIMARY KEY CHECK (singleton = 1),
    -- The next header, with the password's slot alone. The next key is wrapped under nothing else, the old key least of
    -- all: that one may be why the key is rotated.
    header     BLOB NOT NULL CHECK (length(header) BETWEEN 1 AND 65536),
    started_at INTEGER NOT NULL CHECK (started_at >= 0)
) STRICT;

-- Records that are sealed under the next key already. With a rowid, so that they are counted by the key's small index.
CREATE TABLE staged_records (
    kind   TEXT NOT NULL CHECK (kind IN ('master', 'wallet')),
    -- The id of the phrase or the wallet.
    row_id INTEGER NOT NULL,
    epoch  INTEGER NOT NULL CHECK (epoch BETWEEN 1 AND 4294967295),
    -- The end of the sealed record that this one was made of, its authentication tag in it: another one is there if that
    -- record was sealed again since.
    source BLOB NOT NULL CHECK (length(source) = 32),
    -- Over the row, by a key that follows from the next vault key.
    mac    BLOB NOT NULL CHECK (length(mac) = 32),
    sealed BLOB NOT NULL CHECK (length(sealed) BETWEEN 2 AND 4096),
    PRIMARY KEY (kind, row_id)
) STRICT;
