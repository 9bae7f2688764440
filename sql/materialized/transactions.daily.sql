-- Days of the web shop by category, means of payment and city. A later file can replace any transaction, so all of them are
-- read again.
CREATE MATERIALIZED VIEW transactions.daily WITH (refresh = 'on_change') AS
SELECT
    CAST(transacted_at AS date) AS transacted_on,
    currency,
    product_category,
    payment_method,
    city,
    COUNT(*) AS transactions,
    COUNT(*) FILTER (WHERE refunded) AS refunds,
    CAST(SUM(amount) AS numeric(18, 2)) AS revenue
FROM transactions.online_sales
GROUP BY transacted_on, currency, product_category, payment_method, city;
