-- An index on PostgreSQL. Here wallets_usage serves that order; this keeps the numbers of both lists alike.
SELECT 1;
