-- Where requests come from, entries past their retention, and an index for each way that the log is asked: see
-- migrations/sqlite.

ALTER TABLE audit_entries ADD COLUMN client_address BYTEA CHECK (length(client_address) = 32);
ALTER TABLE audit_entries ADD COLUMN client_fingerprint BYTEA CHECK (length(client_fingerprint) = 32);
ALTER TABLE audit_entries ADD COLUMN redacted_by BIGINT;
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_redacted_is_empty CHECK
    (redacted_by IS NULL OR (redacted_by > sequence AND operation = ''));

CREATE INDEX audit_entries_operation ON audit_entries (operation, sequence, outcome) WHERE redacted_by IS NULL;
CREATE INDEX audit_entries_outcome ON audit_entries (outcome, sequence) WHERE redacted_by IS NULL;
CREATE INDEX audit_entries_time ON audit_entries (recorded_at, sequence) WHERE redacted_by IS NULL;
