-- What Grafana's PostgreSQL data source relies on: connection checks, the query builder's lists, the macros' expansions.
-- The names and types of the columns are PostgreSQL 15's answers.

-- name: grafana / liveness of a pooled connection
-- ping

-- name: grafana / version
-- columns(name:oid): version:23
SELECT current_setting('server_version_num')::int/100 as version

-- name: grafana / is time_bucket there
-- columns(name:oid): extversion:25
SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'

-- name: grafana / schemas
-- columns(name:oid): name:19
SELECT schema_name AS "name" FROM information_schema.schemata
WHERE schema_name NOT IN ('information_schema', 'pg_catalog', 'pg_toast') ORDER BY schema_name

-- name: grafana / tables, those of the search path by their bare names
-- columns(name:oid): table:25
SELECT CASE WHEN quote_ident(table_schema) IN (
    SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
    FROM generate_series(
        array_lower(string_to_array(current_setting('search_path'), ','), 1),
        array_upper(string_to_array(current_setting('search_path'), ','), 1)
    ) AS i, string_to_array(current_setting('search_path'), ',') s
  ) THEN quote_ident(table_name)
  ELSE quote_ident(table_schema) || '.' || quote_ident(table_name) END AS "table"
FROM information_schema.tables
WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog', '_timescaledb_cache')
ORDER BY CASE WHEN quote_ident(table_schema) IN (
    SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
    FROM generate_series(
        array_lower(string_to_array(current_setting('search_path'), ','), 1),
        array_upper(string_to_array(current_setting('search_path'), ','), 1)
    ) AS i, string_to_array(current_setting('search_path'), ',') s
  ) THEN 0 ELSE 1 END, 1

-- name: grafana / columns of a table
-- columns(name:oid): column:25, type:1043
SELECT quote_ident(column_name) AS "column", data_type AS "type"
FROM information_schema.columns
WHERE CASE WHEN array_length(parse_ident('weather.observations'), 1) = 2
    THEN quote_ident(table_schema) = (parse_ident('weather.observations'))[1]
     AND quote_ident(table_name) = (parse_ident('weather.observations'))[2]
    ELSE quote_ident(table_name) = 'weather.observations' END

-- name: grafana / a panel, time filter and group
-- columns(name:oid): time:1700, value:701
SELECT floor(extract(epoch from time)/3600)*3600 AS "time", avg(temp) AS value FROM weather.observations
WHERE time BETWEEN '2026-01-01T00:00:00Z' AND '2026-01-02T12:34:56.789Z' GROUP BY 1 ORDER BY 1

-- name: grafana / a panel, the time column as it is, a metric
-- columns(name:oid): time:1184, metric:25, temp:701
SELECT time AS "time", station AS metric, temp FROM weather.observations
WHERE time BETWEEN '2026-01-01T00:00:00Z' AND '2026-01-01T05:00:00Z' ORDER BY 1

-- name: grafana / epochs
-- columns(name:oid): time:1700, value:20
SELECT extract(epoch from time) as "time", n AS value FROM weather.observations
WHERE extract(epoch from time) >= 1767225600 AND extract(epoch from time) <= 1767312000 ORDER BY 1 LIMIT 5

-- name: grafana / a group of a year, written as Go prints it
-- columns(name:oid): time:1700, count:20
SELECT floor(extract(epoch from time)/3.1536e+07)*3.1536e+07 AS "time", count(*) FROM weather.observations GROUP BY 1
