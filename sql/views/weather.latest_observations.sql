-- The last observation of every station.
CREATE VIEW weather.latest_observations AS
SELECT DISTINCT ON (station) station, department, observation_at, temperature, humidity, rain, wind, pressure
FROM weather.observations
ORDER BY station, observation_at DESC;
