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

-- What the newest hours felt like: wind in kilometres per hour for the wind chill, which is defined in the cold only.
SELECT station_id, observed_at, temperature, dew_point(temperature, humidity) AS dew_point,
       coalesce(wind_chill(temperature, convert_unit(wind, 'm/s', 'km/h')), heat_index(temperature, humidity)) AS felt,
       vapour_pressure_deficit(temperature, humidity) AS vapour_pressure_deficit
FROM weather.france_hourly
WHERE humidity IS NOT NULL AND temperature IS NOT NULL
ORDER BY observed_at DESC, station_id
LIMIT 10;

-- The mean wind of New York's airports by month: the mean of 350 and 10 degrees is 0, not 180.
SELECT station_id, date_trunc('month', observed_at) AS month, circular_mean(wind_direction, wind) AS wind_direction,
       wind_speed(avg(wind_u(wind, wind_direction)), avg(wind_v(wind, wind_direction))) AS wind
FROM weather.new_york_hourly
GROUP BY station_id, month
ORDER BY station_id, month;

-- Degree days by month: how much there was to heat, to cool, and for maize to grow.
SELECT location, date_trunc('month', date) AS month,
       sum(heating_degree_days((temp_min + temp_max) / 2, 18)) AS heating,
       sum(cooling_degree_days((temp_min + temp_max) / 2, 18)) AS cooling,
       sum(growing_degree_days(temp_min, temp_max, 10, 30)) AS growing
FROM weather.seattle_new_york_daily
GROUP BY location, month
ORDER BY location, month;

-- Dry and wet months by the standardized precipitation index; four years are few, thirty are asked for.
SELECT location, month, rain, spi(rain) OVER (PARTITION BY location, date_part('month', month)) AS spi
FROM (
    SELECT location, date_trunc('month', date) AS month, sum(precipitation) AS rain
    FROM weather.seattle_new_york_daily
    GROUP BY location, date_trunc('month', date)
) AS months
ORDER BY spi, location, month
LIMIT 10;

-- The precipitation of a day that is exceeded once in ten years.
SELECT location, return_level(greatest_of_year, 10) AS precipitation
FROM (
    SELECT location, date_part('year', date) AS year, max(precipitation) AS greatest_of_year
    FROM weather.seattle_new_york_daily
    GROUP BY location, date_part('year', date)
) AS years
GROUP BY location
ORDER BY location;

-- The five stations next to the Capitole of Toulouse, in kilometres.
SELECT station_id, station_name, haversine(latitude, longitude, 43.6045, 1.4440) AS distance_km
FROM (SELECT DISTINCT station_id, station_name, latitude, longitude FROM weather.france_hourly) AS stations
ORDER BY distance_km, station_id
LIMIT 5;

-- The last observation of each station by noon of five days, unless that is more than three hours old.
SELECT s.station, d.noon, o.observation_at, o.temperature
FROM generate_series(TIMESTAMPTZ '2024-03-01 12:00:00+00', TIMESTAMPTZ '2024-03-05 12:00:00+00', interval '1 day') AS d(noon)
CROSS JOIN (SELECT DISTINCT station FROM weather.observations) AS s
LEFT JOIN LATERAL (
    SELECT observation_at, temperature
    FROM weather.observations AS o
    WHERE o.station = s.station AND o.observation_at BETWEEN d.noon - interval '3 hours' AND d.noon
    ORDER BY o.observation_at DESC
    LIMIT 1
) AS o ON true
ORDER BY s.station, d.noon;
