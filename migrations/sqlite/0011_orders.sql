-- Indexes for the orders of what signing counts, on PostgreSQL. Here wallets_usage serves them at a page for each signature, and
-- tags are rows with an index of their own: nothing is missing, and this keeps the numbers of both lists alike.
SELECT 1;
