-- The publisher writes Windows-1252: a dash in season names and the degree sign are no UTF-8.
CREATE EXTERNAL TABLE climate.faostat_temperature_change
STORED AS CSV
LOCATION 'climate/faostat_temperature_change.csv'
OPTIONS (header 'true', encoding 'cp1252');
