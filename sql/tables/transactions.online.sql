-- One file a month. They name the same columns in different orders, and October has one more: columns go by name.
CREATE EXTERNAL TABLE transactions.online (
    transaction_id text,
    customer_id bigint,
    product_id text,
    product_category text,
    quantity integer,
    unit_price numeric(12, 2),
    amount numeric(12, 2),
    currency text,
    payment_method text,
    transaction_date timestamp,
    city text,
    address text,
    email text,
    status text,
    loyalty_points integer
)
STORED AS CSV
LOCATION 'transactions/online/'
OPTIONS (header 'true');
