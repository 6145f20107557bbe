-- What lists of 100,000 wallets are read by. Indexes alone: what they hold is in the tables already.

-- Searching for a piece of an address or a label, and counting, without stepping over sealed keys. It begins with what
-- rarely differs, and then the id, so that new wallets come at its end.
CREATE INDEX wallets_scan ON wallets (status, chain, wallet_id, address, label);

-- Labels in the order of lists.
CREATE INDEX wallets_label_order ON wallets (label COLLATE NOCASE, wallet_id) WHERE label <> '';

-- Sorting by what signing counts. By id, so that a signature changes one page of it.
CREATE INDEX wallets_usage ON wallets (wallet_id, status, last_used_at, total_trades, total_volume);
