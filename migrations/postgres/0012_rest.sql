-- Those never used come at the end of the list by last use: found by the index too, and not by stepping over all that were.
-- Under a name of its own, since not every engine takes the same one twice in one transaction.
CREATE INDEX wallets_last_use ON wallets (last_used_at, wallet_id);
DROP INDEX wallets_last_used;
