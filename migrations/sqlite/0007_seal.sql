-- The seal over what is stored, beside the edge of the log that it is bound to: hidden sums over the rows of each table, and
-- a MAC. Empty in a vault that was not unlocked since this column came; the next unlocking makes it, and says so in the log.
ALTER TABLE audit_state ADD COLUMN seal BLOB CHECK (seal IS NULL OR length(seal) BETWEEN 66 AND 65536);
