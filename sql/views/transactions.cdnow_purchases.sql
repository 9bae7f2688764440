-- CDNOW's purchases under plain names.
CREATE VIEW transactions.cdnow_purchases AS
SELECT customer_id, date AS purchased_on, number_of_cds AS quantity, dollar_value AS amount
FROM transactions.cdnow_master;
