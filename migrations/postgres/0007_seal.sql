-- The seal over what is stored: see migrations/sqlite.
ALTER TABLE audit_state ADD COLUMN seal BYTEA CHECK (seal IS NULL OR length(seal) BETWEEN 66 AND 65536);
