-- Owners of wallets, what becomes of a wallet over time, what signing counts, and the vault's own settings.
-- Columns are added and no table is made anew, so a large vault is brought up to date at once.

-- The vault's settings: one JSON document under the signature of the key that signs the audit log, so that a limit
-- loosened in the file is refused, also while the vault is locked. No row means the defaults.
CREATE TABLE vault_settings (
    singleton  INTEGER NOT NULL PRIMARY KEY CHECK (singleton = 1),
    -- Counts up with every change: two changes made at once cannot both win.
    version    INTEGER NOT NULL CHECK (version BETWEEN 1 AND 4294967295),
    body       TEXT NOT NULL CHECK (json_valid(body)),
    signature  BLOB NOT NULL CHECK (length(signature) = 64),
    updated_at INTEGER NOT NULL CHECK (updated_at >= 0)
) STRICT;

CREATE TABLE owners (
    owner_id   INTEGER NOT NULL PRIMARY KEY,
    vault_id   BLOB NOT NULL REFERENCES vaults (vault_id),
    name       TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
    created_at INTEGER NOT NULL CHECK (created_at >= 0)
) STRICT;

-- What it is for: trading, treasury, deposit or any other word; empty for none.
ALTER TABLE wallets ADD COLUMN role TEXT NOT NULL DEFAULT '' CHECK (length(role) <= 32);

--   active    in use
--   rotated   replaced by a newer key; it still signs what names it, and receives until grace_until
--   retired   replaced, and no longer used: the grace period is over or three newer keys came after it
--   deleted   taken away, restorable until purge_after
--   purged    its key is gone for ever; the row stays, since what it signed refers to it
ALTER TABLE wallets ADD COLUMN status TEXT NOT NULL DEFAULT 'active'
    CHECK (status IN ('active', 'rotated', 'retired', 'deleted', 'purged'))
    -- One byte in place of a sealed key, which is always longer.
    CHECK ((status = 'purged') = (length(sealed) = 1));

ALTER TABLE wallets ADD COLUMN owner_id INTEGER REFERENCES owners (owner_id);

-- Which of its owner's places a wallet has, from 1: two wallets cannot have one, whoever gives it out.
-- A wallet that was replaced, retired or deleted has none, and so does not count.
ALTER TABLE wallets ADD COLUMN owner_slot INTEGER
    CHECK (owner_slot IS NULL OR (owner_slot BETWEEN 1 AND 1000000 AND owner_id IS NOT NULL AND status = 'active'));

ALTER TABLE wallets ADD COLUMN is_primary INTEGER NOT NULL DEFAULT 0
    CHECK (is_primary IN (0, 1)) CHECK (is_primary = 0 OR owner_slot IS NOT NULL);

ALTER TABLE wallets ADD COLUMN status_at INTEGER NOT NULL DEFAULT 0 CHECK (status_at >= 0);

-- What a deleted wallet was before, for restoring it.
ALTER TABLE wallets ADD COLUMN deleted_from TEXT
    CHECK (deleted_from IS NULL OR deleted_from IN ('active', 'rotated', 'retired'))
    CHECK ((status = 'deleted') = (deleted_from IS NOT NULL));

ALTER TABLE wallets ADD COLUMN purge_after INTEGER
    CHECK (purge_after IS NULL OR purge_after >= 0) CHECK ((status = 'deleted') = (purge_after IS NOT NULL));

ALTER TABLE wallets ADD COLUMN grace_until INTEGER
    CHECK (grace_until IS NULL OR grace_until >= 0) CHECK (status <> 'rotated' OR grace_until IS NOT NULL);

-- The wallet that this one came in place of. Each is replaced once at most.
ALTER TABLE wallets ADD COLUMN previous_wallet_id INTEGER REFERENCES wallets (wallet_id);

-- How often its key is to be rotated, in milliseconds; none for never. And when next.
ALTER TABLE wallets ADD COLUMN rotate_every INTEGER CHECK (rotate_every IS NULL OR rotate_every > 0);
ALTER TABLE wallets ADD COLUMN rotate_at INTEGER
    CHECK (rotate_at IS NULL OR rotate_at >= 0)
    CHECK (rotate_at IS NULL OR (rotate_every IS NOT NULL AND status = 'active'));
-- How often it was rotated before it became this key.
ALTER TABLE wallets ADD COLUMN rotation_count INTEGER NOT NULL DEFAULT 0 CHECK (rotation_count >= 0);

-- What it signed: transactions, and the native coin that they move away from it, in base units as 16 bytes,
-- big-endian, so that they sort as numbers. For people; limits go by spend_reservations.
ALTER TABLE wallets ADD COLUMN total_trades INTEGER NOT NULL DEFAULT 0 CHECK (total_trades >= 0);
ALTER TABLE wallets ADD COLUMN total_volume BLOB NOT NULL DEFAULT x'00000000000000000000000000000000'
    CHECK (length(total_volume) = 16);

CREATE UNIQUE INDEX wallets_owner_slot ON wallets (owner_id, owner_slot) WHERE owner_slot IS NOT NULL;
CREATE UNIQUE INDEX wallets_owner_primary ON wallets (owner_id) WHERE is_primary = 1;
CREATE UNIQUE INDEX wallets_previous ON wallets (previous_wallet_id) WHERE previous_wallet_id IS NOT NULL;
CREATE INDEX wallets_owner ON wallets (owner_id, wallet_id) WHERE owner_id IS NOT NULL;
CREATE INDEX wallets_role ON wallets (role, wallet_id) WHERE role <> '';
CREATE INDEX wallets_status ON wallets (status, wallet_id) WHERE status <> 'active';
CREATE INDEX wallets_rotate_at ON wallets (rotate_at) WHERE rotate_at IS NOT NULL;
