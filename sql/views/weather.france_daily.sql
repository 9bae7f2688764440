-- Days of Meteo-France's stations, UTC. An hour's value is stamped with the hour's end, so 00:00 is of the day before.
CREATE VIEW weather.france_daily AS
SELECT
    station_id,
    station_name,
    observed_on,
    AVG(temperature) AS temperature,
    MIN(temperature_min) AS temperature_min,
    MAX(temperature_max) AS temperature_max,
    SUM(rain) AS rain,
    MAX(wind_gust) AS wind_gust,
    AVG(pressure) AS pressure
FROM (
    SELECT
        "NUM_POSTE" AS station_id,
        "NOM_USUEL" AS station_name,
        CAST("AAAAMMJJHH" - INTERVAL '1 hour' AS date) AS observed_on,
        "T" AS temperature,
        "TN" AS temperature_min,
        "TX" AS temperature_max,
        "RR1" AS rain,
        "FXI" AS wind_gust,
        "PMER" AS pressure
    FROM weather.meteo_france_hourly
) AS hours
GROUP BY station_id, station_name, observed_on;
