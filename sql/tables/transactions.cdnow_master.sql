-- Columns stand between runs of blanks, every line begins with one, customers have leading zeros.
CREATE EXTERNAL TABLE transactions.cdnow_master (
    customer_id text,
    date date,
    number_of_cds integer,
    dollar_value numeric(10, 2)
)
STORED AS CSV
LOCATION 'transactions/cdnow_master.txt'
OPTIONS (header 'true', delimiter 'whitespace', date_format '%Y%m%d');
