-- Meteo-France's hours in English. Units: degC, mm, m/s, degrees, %, hPa, m. `rain` fell in the hour that ends at
-- `observed_at`; `pressure` is at sea level.
CREATE VIEW weather.france_hourly AS
SELECT
    "NUM_POSTE" AS station_id,
    "NOM_USUEL" AS station_name,
    "LAT" AS latitude,
    "LON" AS longitude,
    "ALTI" AS altitude,
    "AAAAMMJJHH" AS observed_at,
    "T" AS temperature,
    "TN" AS temperature_min,
    "TX" AS temperature_max,
    "RR1" AS rain,
    "FF" AS wind,
    "FXI" AS wind_gust,
    "DD" AS wind_direction,
    "U" AS humidity,
    "PMER" AS pressure,
    "VV" AS visibility
FROM weather.meteo_france_hourly;
