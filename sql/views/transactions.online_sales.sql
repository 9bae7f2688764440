-- The web shop's year, cleaned: the newest row of every transaction, refunds marked, words for nothing made NULL.
-- `transacted_at` is local time, as the shop wrote it; amounts are in `currency`.
CREATE VIEW transactions.online_sales AS
SELECT
    transaction_id,
    customer_id,
    product_id,
    product_category,
    quantity,
    unit_price,
    amount,
    currency,
    payment_method,
    transaction_date AS transacted_at,
    city,
    CASE WHEN email IN ('', 'NA', 'NULL', '\N') THEN NULL ELSE email END AS email,
    status,
    amount < 0 AS refunded,
    loyalty_points
FROM (
    SELECT *, row_number() OVER (PARTITION BY transaction_id ORDER BY transaction_date DESC) AS newest
    FROM transactions.online
) AS ranked
WHERE newest = 1;
