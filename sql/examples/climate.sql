-- Mean temperature change of all areas by year.
SELECT "Year" as time, AVG("Temp_Change") as value FROM climate_analysis GROUP BY "Year" ORDER BY "Year" ASC;

-- How many values there are.
SELECT COUNT(*) FROM climate_analysis;

-- The ten areas that warmed most in the last decade.
SELECT "Area", AVG("Temp_Change") AS temperature_change
FROM climate_analysis
WHERE "Year" >= 2014
GROUP BY "Area"
ORDER BY temperature_change DESC
LIMIT 10;

-- CO2 and temperature by decade.
SELECT year / 10 * 10 AS decade, AVG(temperature_anomaly) AS temperature_anomaly, AVG(co2_ppm) AS co2_ppm
FROM climate.yearly
GROUP BY decade
ORDER BY decade;
