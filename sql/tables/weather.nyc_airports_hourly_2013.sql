-- A missing value is written NA. Units: degF, %, degrees, mph, inch, mbar, miles.
CREATE EXTERNAL TABLE weather.nyc_airports_hourly_2013 (
    origin text,
    year integer,
    month integer,
    day integer,
    hour integer,
    temp double precision,
    dewp double precision,
    humid double precision,
    wind_dir double precision,
    wind_speed double precision,
    wind_gust double precision,
    precip double precision,
    pressure double precision,
    visib double precision,
    time_hour timestamptz
)
STORED AS CSV
LOCATION 'weather/nyc_airports_hourly_2013.csv'
OPTIONS (header 'true', null_values 'NA');
