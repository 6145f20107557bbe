-- Owners of wallets, what becomes of a wallet over time, what signing counts, and the vault's own settings: see
-- migrations/sqlite, where each column is explained.

CREATE TABLE vault_settings (
    singleton  BIGINT NOT NULL PRIMARY KEY CHECK (singleton = 1),
    version    BIGINT NOT NULL CHECK (version BETWEEN 1 AND 4294967295),
    -- Text and not JSON: the signature is over these very bytes.
    body       TEXT NOT NULL CHECK (CAST(body AS JSONB) IS NOT NULL),
    signature  BYTEA NOT NULL CHECK (length(signature) = 64),
    updated_at TIMESTAMPTZ NOT NULL CHECK (updated_at >= '1970-01-01 00:00:00+00')
);

CREATE TABLE owners (
    owner_id   BIGINT NOT NULL PRIMARY KEY,
    vault_id   UUID NOT NULL REFERENCES vaults (vault_id),
    name       TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
    created_at TIMESTAMPTZ NOT NULL CHECK (created_at >= '1970-01-01 00:00:00+00')
);

ALTER TABLE wallets ADD COLUMN owner_id BIGINT REFERENCES owners (owner_id);
ALTER TABLE wallets ADD COLUMN owner_slot BIGINT;
ALTER TABLE wallets ADD COLUMN is_primary BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE wallets ADD COLUMN role TEXT NOT NULL DEFAULT '' CHECK (length(role) <= 32);
ALTER TABLE wallets ADD COLUMN status TEXT NOT NULL DEFAULT 'active'
    CHECK (status IN ('active', 'rotated', 'retired', 'deleted', 'purged'));
ALTER TABLE wallets ADD COLUMN status_at TIMESTAMPTZ NOT NULL DEFAULT '1970-01-01 00:00:00+00'
    CHECK (status_at >= '1970-01-01 00:00:00+00');
ALTER TABLE wallets ADD COLUMN deleted_from TEXT CHECK (deleted_from IN ('active', 'rotated', 'retired'));
ALTER TABLE wallets ADD COLUMN purge_after TIMESTAMPTZ CHECK (purge_after >= '1970-01-01 00:00:00+00');
ALTER TABLE wallets ADD COLUMN grace_until TIMESTAMPTZ CHECK (grace_until >= '1970-01-01 00:00:00+00');
ALTER TABLE wallets ADD COLUMN previous_wallet_id BIGINT REFERENCES wallets (wallet_id);
ALTER TABLE wallets ADD COLUMN rotate_every BIGINT CHECK (rotate_every > 0);
ALTER TABLE wallets ADD COLUMN rotate_at TIMESTAMPTZ CHECK (rotate_at >= '1970-01-01 00:00:00+00');
ALTER TABLE wallets ADD COLUMN rotation_count BIGINT NOT NULL DEFAULT 0 CHECK (rotation_count >= 0);
ALTER TABLE wallets ADD COLUMN total_trades BIGINT NOT NULL DEFAULT 0 CHECK (total_trades >= 0);
ALTER TABLE wallets ADD COLUMN total_volume NUMERIC(39, 0) NOT NULL DEFAULT 0
    CHECK (total_volume BETWEEN 0 AND 340282366920938463463374607431768211455);

ALTER TABLE wallets ADD CONSTRAINT wallets_slot_is_used CHECK
    (owner_slot IS NULL OR (owner_slot BETWEEN 1 AND 1000000 AND owner_id IS NOT NULL AND status = 'active'));
ALTER TABLE wallets ADD CONSTRAINT wallets_primary_is_owned CHECK (NOT is_primary OR owner_slot IS NOT NULL);
ALTER TABLE wallets ADD CONSTRAINT wallets_purged_is_empty CHECK ((status = 'purged') = (length(sealed) = 1));
ALTER TABLE wallets ADD CONSTRAINT wallets_deleted_from_something CHECK ((status = 'deleted') = (deleted_from IS NOT NULL));
ALTER TABLE wallets ADD CONSTRAINT wallets_deleted_until CHECK ((status = 'deleted') = (purge_after IS NOT NULL));
ALTER TABLE wallets ADD CONSTRAINT wallets_rotated_until CHECK (status <> 'rotated' OR grace_until IS NOT NULL);
ALTER TABLE wallets ADD CONSTRAINT wallets_rotation_is_scheduled CHECK
    (rotate_at IS NULL OR (rotate_every IS NOT NULL AND status = 'active'));

CREATE UNIQUE INDEX wallets_owner_slot ON wallets (owner_id, owner_slot) WHERE owner_slot IS NOT NULL;
CREATE UNIQUE INDEX wallets_owner_primary ON wallets (owner_id) WHERE is_primary;
CREATE UNIQUE INDEX wallets_previous ON wallets (previous_wallet_id) WHERE previous_wallet_id IS NOT NULL;
CREATE INDEX wallets_owner ON wallets (owner_id, wallet_id) WHERE owner_id IS NOT NULL;
CREATE INDEX wallets_role ON wallets (role, wallet_id) WHERE role <> '';
CREATE INDEX wallets_status ON wallets (status, wallet_id) WHERE status <> 'active';
CREATE INDEX wallets_rotate_at ON wallets (rotate_at) WHERE rotate_at IS NOT NULL;
