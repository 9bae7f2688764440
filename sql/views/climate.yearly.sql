-- Temperature anomaly (NASA) beside CO2 (Scripps), a row for every year that has a temperature.
CREATE VIEW climate.yearly AS
SELECT
    temperature.year,
    make_date(CAST(temperature.year AS integer), 1, 1) AS started_on,
    temperature.temp AS temperature_anomaly,
    co2.mean AS co2_ppm
FROM climate.global_temp AS temperature
LEFT JOIN (
    SELECT CAST(date_part('year', "Date") AS integer) AS year, AVG("CO2") AS mean
    FROM climate.co2_concentration
    GROUP BY date_part('year', "Date")
) AS co2 ON co2.year = temperature.year;
