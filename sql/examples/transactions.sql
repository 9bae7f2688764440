-- Totals by currency.
SELECT currency, COUNT(*) AS transactions, SUM(amount) AS revenue, AVG(amount) AS mean_amount,
       COUNT(DISTINCT customer_id) AS customers
FROM transactions.online_sales
GROUP BY currency
ORDER BY currency;

-- Revenue by category.
SELECT product_category, SUM(amount) AS revenue
FROM transactions.online_sales
WHERE currency = 'EUR'
GROUP BY product_category
ORDER BY revenue DESC;

-- Means of payment.
SELECT payment_method, COUNT(*) AS transactions, SUM(amount) AS revenue
FROM transactions.online_sales
WHERE currency = 'EUR'
GROUP BY payment_method
ORDER BY transactions DESC;

-- The ten cities with the highest revenue.
SELECT city, SUM(amount) AS revenue
FROM transactions.online_sales
WHERE currency = 'EUR'
GROUP BY city
ORDER BY revenue DESC
LIMIT 10;

-- Refunds by month.
SELECT date_trunc('month', transacted_at) AS month, COUNT(*) AS refunds, SUM(amount) AS amount
FROM transactions.online_sales
WHERE refunded
GROUP BY month
ORDER BY month;

-- Customers of CDNOW by the month of their first purchase, and what they spent since.
SELECT date_trunc('month', first_on) AS cohort, COUNT(*) AS customers, SUM(spent) AS spent
FROM (
    SELECT customer_id, MIN(purchased_on) AS first_on, SUM(amount) AS spent
    FROM transactions.cdnow_purchases
    GROUP BY customer_id
) AS customers
GROUP BY cohort
ORDER BY cohort;
