-- Those never used come at the end of the list by last use: found by the index too, and not by stepping over all that were.
DROP INDEX wallets_last_used;
CREATE INDEX wallets_last_used ON wallets (last_used_at, wallet_id);
