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

-- How fast areas warm, in degrees a decade by Sen's slope, and how likely that is chance by the test of Mann and Kendall.
SELECT "Area", 10 * sens_slope("Year", "Temp_Change") AS degrees_a_decade, mann_kendall_p("Year", "Temp_Change") AS p
FROM climate_analysis
GROUP BY "Area"
ORDER BY degrees_a_decade DESC, "Area"
LIMIT 10;

-- FAOSTAT's changes are from 1951 to 1980; these of its newest year are from WMO's normals, 1991 to 2020.
SELECT "Area", "Year", change
FROM (
    SELECT "Area", "Year", anomaly("Temp_Change", "Year", 1991, 2020) OVER (PARTITION BY "Area") AS change
    FROM climate_analysis
) AS changes
WHERE "Year" = 2023
ORDER BY change DESC NULLS LAST, "Area"
LIMIT 10;

-- The percentile of record: the share of other years that were colder than an area's newest.
SELECT "Area", "Year", 100 * colder AS percentile
FROM (
    SELECT "Area", "Year", percent_rank() OVER (PARTITION BY "Area" ORDER BY "Temp_Change") AS colder,
           row_number() OVER (PARTITION BY "Area" ORDER BY "Year" DESC) AS age
    FROM climate_analysis
) AS years
WHERE age = 1
ORDER BY percentile DESC, "Area"
LIMIT 10;

-- The year of CO2: how far each month of the normal period is from its mean.
SELECT month, climate_normal(co2, year, 1991, 2020) - avg(climate_normal(co2, year, 1991, 2020)) OVER () AS co2_ppm
FROM (
    SELECT date_part('year', "Date") AS year, date_part('month', "Date") AS month, "CO2" AS co2
    FROM climate.co2_concentration
) AS months
GROUP BY month
ORDER BY month;
