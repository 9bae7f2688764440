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

-- Recency, frequency and money: fifths of CDNOW's customers, 5 is best; 555 are the most valuable.
SELECT r * 100 + f * 10 + m AS rfm, COUNT(*) AS customers, SUM(spent) AS spent
FROM (
    SELECT spent, ntile(5) OVER (ORDER BY last_on, customer_id) AS r, ntile(5) OVER (ORDER BY purchases, customer_id) AS f,
           ntile(5) OVER (ORDER BY spent, customer_id) AS m
    FROM (
        SELECT customer_id, MAX(purchased_on) AS last_on, COUNT(*) AS purchases, SUM(amount) AS spent
        FROM transactions.cdnow_purchases
        GROUP BY customer_id
    ) AS customers
) AS scores
GROUP BY rfm
ORDER BY rfm DESC
LIMIT 10;

-- Which categories make four fifths of the revenue (A), and which hardly any (C).
SELECT product_category, revenue, abc_class(revenue) OVER () AS class
FROM (
    SELECT product_category, SUM(amount) AS revenue
    FROM transactions.online_sales
    WHERE currency = 'EUR' AND NOT refunded
    GROUP BY product_category
) AS categories
ORDER BY revenue DESC;

-- Retention: which share of the customers of a month came back so many months later.
SELECT cohort, months_later, COUNT(DISTINCT customer_id) AS customers,
       round(100.0 * COUNT(DISTINCT customer_id) / first_value(COUNT(DISTINCT customer_id))
           OVER (PARTITION BY cohort ORDER BY months_later), 1) AS percent
FROM (
    SELECT customer_id, date_trunc('month', first_on) AS cohort,
           (date_part('year', purchased_on) - date_part('year', first_on)) * 12
               + date_part('month', purchased_on) - date_part('month', first_on) AS months_later
    FROM (
        SELECT customer_id, purchased_on, MIN(purchased_on) OVER (PARTITION BY customer_id) AS first_on
        FROM transactions.cdnow_purchases
    ) AS purchases
) AS later
GROUP BY cohort, months_later
ORDER BY cohort, months_later;

-- Baskets: categories that the same customers bought, and how much oftener than by chance (lift).
WITH bought AS (
    SELECT DISTINCT customer_id, product_category FROM transactions.online_sales WHERE customer_id IS NOT NULL
), sizes AS (
    SELECT product_category, COUNT(*) AS customers FROM bought GROUP BY product_category
)
SELECT pairs.one, pairs.other, pairs.customers,
       pairs.customers::double precision * (SELECT COUNT(DISTINCT customer_id) FROM bought)
           / (one.customers::double precision * other.customers) AS lift
FROM (
    SELECT a.product_category AS one, b.product_category AS other, COUNT(*) AS customers
    FROM bought AS a JOIN bought AS b ON a.customer_id = b.customer_id AND a.product_category < b.product_category
    GROUP BY a.product_category, b.product_category
) AS pairs
JOIN sizes AS one ON one.product_category = pairs.one
JOIN sizes AS other ON other.product_category = pairs.other
ORDER BY lift DESC, pairs.one, pairs.other
LIMIT 10;
