-- Hours of every station, UTC. A file of a department makes the rows of that department anew, and no others.
CREATE MATERIALIZED VIEW weather.hourly WITH (refresh = 'on_change', partition_by = 'department') AS
SELECT
    department,
    station,
    date_trunc('hour', observation_at) AS observed_at,
    COUNT(*) AS observations,
    AVG(temperature) AS temperature,
    MIN(temperature) AS temperature_min,
    MAX(temperature) AS temperature_max,
    AVG(humidity) AS humidity,
    CAST(SUM(rain) AS numeric(12, 1)) AS rain,
    AVG(wind) AS wind,
    MAX(wind) AS wind_max,
    AVG(pressure) AS pressure
FROM weather.observations
GROUP BY department, station, observed_at;
