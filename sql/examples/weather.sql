-- The last value of every station.
SELECT station, observation_at, temperature, wind FROM weather.latest_observations ORDER BY station;

-- Six hours of one department in buckets of an hour.
SELECT date_trunc('hour', observation_at) AS hour, AVG(temperature) AS temperature, SUM(rain) AS rain
FROM weather.observations
WHERE department = '31'
  AND observation_at >= '2024-06-01 00:00:00+00' AND observation_at < '2024-06-01 06:00:00+00'
GROUP BY hour
ORDER BY hour;

-- Frost days by station.
SELECT station_id, station_name, COUNT(*) AS frost_days
FROM weather.france_daily
WHERE temperature_min < 0
GROUP BY station_id, station_name
ORDER BY station_id;

-- The wettest days in New York and Seattle.
SELECT location, date, precipitation
FROM weather.seattle_new_york_daily
ORDER BY precipitation DESC, date
LIMIT 10;

-- Gusts at New York's airports by month.
SELECT station_id, date_trunc('month', observed_at) AS month, MAX(wind_gust) AS wind_gust
FROM weather.new_york_hourly
GROUP BY station_id, month
ORDER BY station_id, month;
