-- Days of every station, UTC, made of its hours. The mean of a day is that of its observations.
CREATE MATERIALIZED VIEW weather.daily WITH (refresh = 'downstream', partition_by = 'department') AS
SELECT
    department,
    station,
    CAST(observed_at AS date) AS observed_on,
    CAST(SUM(observations) AS bigint) AS observations,
    SUM(temperature * observations) / SUM(observations) AS temperature,
    MIN(temperature_min) AS temperature_min,
    MAX(temperature_max) AS temperature_max,
    CAST(SUM(rain) AS numeric(12, 1)) AS rain,
    MAX(wind_max) AS wind_max
FROM weather.hourly
GROUP BY department, station, observed_on;
