-- What postgres_fdw sends: the start of a session, IMPORT FOREIGN SCHEMA, estimates and scans, by the shape of its statements.

-- name: postgres_fdw / connect #1
-- columns(name:oid):
SET search_path = pg_catalog

-- name: postgres_fdw / connect #2
-- columns(name:oid):
SET timezone = 'GMT'

-- name: postgres_fdw / connect #3
-- columns(name:oid):
SET datestyle = ISO

-- name: postgres_fdw / connect #4
-- columns(name:oid):
SET intervalstyle = postgres

-- name: postgres_fdw / connect #5
-- columns(name:oid):
SET extra_float_digits = 3

-- name: postgres_fdw / import #1
-- columns(name:oid): ?column?:23
SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'public'

-- name: postgres_fdw / import #2
-- columns(name:oid): relname:19, attname:19, format_type:25, attnotnull:16, attgenerated:18, pg_get_expr:25, collname:19, nspname:19
SELECT relname,   attname,   format_type(atttypid, atttypmod),   attnotnull,   attgenerated,   pg_get_expr(adbin, adrelid),   collname,   collnsp.nspname FROM pg_class c   JOIN pg_namespace n ON     relnamespace = n.oid   LEFT JOIN pg_attribute a ON     attrelid = c.oid AND attnum > 0       AND NOT attisdropped   LEFT JOIN pg_attrdef ad ON     adrelid = c.oid AND adnum = attnum   LEFT JOIN pg_collation coll ON     coll.oid = attcollation   LEFT JOIN pg_namespace collnsp ON     collnsp.oid = collnamespace WHERE c.relkind IN ('r','v','f','m','p')   AND n.nspname = 'public' AND (NOT c.relispartition) ORDER BY c.relname, a.attnum

-- name: postgres_fdw / analyze #1
-- columns(name:oid): ?column?:20
SELECT pg_catalog.pg_relation_size('public.weather'::pg_catalog.regclass) / 8192

-- name: postgres_fdw / analyze #2
-- columns(name:oid): reltuples:700, relkind:18
SELECT reltuples, relkind FROM pg_catalog.pg_class WHERE oid = 'public.weather'::pg_catalog.regclass

-- name: postgres_fdw / scan #1
-- columns(name:oid):
START TRANSACTION ISOLATION LEVEL REPEATABLE READ

-- name: postgres_fdw / scan #2
-- columns(name:oid):
DECLARE c1 CURSOR FOR
SELECT "time", station, temp, humidity, pressure, n, big, ok, day, tags FROM public.weather WHERE ((station = 'S1'::text)) AND ((temp > 1::double precision))

-- name: postgres_fdw / scan #3
-- columns(name:oid): time:1184, station:25, temp:701, humidity:700, pressure:1700, n:23, big:20, ok:16, day:1082, tags:1009
FETCH 100 FROM c1

-- name: postgres_fdw / scan #4
-- columns(name:oid):
CLOSE c1

-- name: postgres_fdw / scan #5
-- columns(name:oid):
DECLARE c2 CURSOR FOR
SELECT r1.station, count(*), avg(r1.temp), max(r1.big) FROM (public.weather r1 INNER JOIN lake.stations r2 ON (((r1.station = r2.station)))) GROUP BY 1 ORDER BY r1.station ASC NULLS LAST

-- name: postgres_fdw / scan #6
-- columns(name:oid): station:25, count:20, avg:701, max:20
FETCH 100 FROM c2

-- name: postgres_fdw / scan #7
-- columns(name:oid):
SAVEPOINT s2

-- name: postgres_fdw / scan #8
-- columns(name:oid):
RELEASE SAVEPOINT s2

-- name: postgres_fdw / scan #9
-- columns(name:oid):
COMMIT TRANSACTION

-- name: postgres_fdw / scan #10
-- columns(name:oid): QUERY PLAN:25
EXPLAIN SELECT station FROM public.weather WHERE ((n = 1))

-- name: postgres_fdw / operators #1
-- columns(name:oid): n:23
SELECT n FROM public.weather WHERE ((n OPERATOR(pg_catalog.>=) 3)) AND ((station OPERATOR(pg_catalog.~~) 'S%'::text)) AND ((pg_catalog.lower(station) OPERATOR(pg_catalog.=) 's1'::text)) LIMIT 5::bigint OFFSET 1::bigint
