-- The airports of New York in the units of the other weather tables: degC, mm, m/s, degrees, %, hPa, m.
CREATE VIEW weather.new_york_hourly AS
SELECT
    origin AS station_id,
    time_hour AS observed_at,
    (temp - 32) / 1.8 AS temperature,
    precip * 25.4 AS rain,
    wind_speed * 0.44704 AS wind,
    wind_gust * 0.44704 AS wind_gust,
    wind_dir AS wind_direction,
    humid AS humidity,
    pressure,
    visib * 1609.344 AS visibility
FROM weather.nyc_airports_hourly_2013;
