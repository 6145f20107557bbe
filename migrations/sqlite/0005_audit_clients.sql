-- Where requests come from, entries past their retention, and an index for each way that the log is asked.

-- HMAC-SHA-256 under a key that only the unlocked vault has: see docs/decisions/0016. NULL where the vault was locked,
-- and in what was written before. An entry with neither has the leaf of the format's first version.
ALTER TABLE audit_entries ADD COLUMN client_address BLOB CHECK (client_address IS NULL OR length(client_address) = 32);
ALTER TABLE audit_entries ADD COLUMN client_fingerprint BLOB
    CHECK (client_fingerprint IS NULL OR length(client_fingerprint) = 32);

-- An entry past its retention keeps its place and its leaf, and the sequence of the entry that says that it was
-- redacted: that one's subject is the hash of all that it redacted. Everything else is emptied.
ALTER TABLE audit_entries ADD COLUMN redacted_by INTEGER
    CHECK (redacted_by IS NULL OR (redacted_by > sequence AND operation = ''));

-- Entries are listed by sequence, so each index goes on with it; the outcome is there to count by. What was redacted is
-- found by its place alone.
CREATE INDEX audit_entries_operation ON audit_entries (operation, sequence, outcome) WHERE redacted_by IS NULL;
CREATE INDEX audit_entries_outcome ON audit_entries (outcome, sequence) WHERE redacted_by IS NULL;
-- Times never go back along the log, so a range of times is a range of sequences: two look-ups here.
CREATE INDEX audit_entries_time ON audit_entries (recorded_at, sequence) WHERE redacted_by IS NULL;
