-- Lists of 100,000 wallets in the order of what signing counts, and those with a tag. A signature costs an entry in each index
-- of its wallet's row; signatures that share a commit change their rows together (decision 0028), so that this is no round trip.
CREATE INDEX wallets_last_used ON wallets (last_used_at, wallet_id) WHERE last_used_at IS NOT NULL;
CREATE INDEX wallets_trades ON wallets (total_trades, wallet_id);
CREATE INDEX wallets_volume ON wallets (total_volume, wallet_id);
CREATE INDEX wallets_tagged ON wallets (wallet_id) WHERE tags <> ARRAY[]::TEXT[];
