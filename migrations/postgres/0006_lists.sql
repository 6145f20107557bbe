-- What lists of 100,000 wallets are read by: see migrations/sqlite. There is none over what signing counts, as there is on
-- SQLite: a signature could not change its row in place any more, and would cost an entry in every index of the table.

-- Searching and counting without the sealed keys.
CREATE INDEX wallets_scan ON wallets (status, chain, wallet_id, address, label);

-- Labels in the order of lists.
CREATE INDEX wallets_label_order ON wallets (LOWER(label), wallet_id) WHERE label <> '';
