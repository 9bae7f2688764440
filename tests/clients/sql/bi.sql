-- What tools of business intelligence and reporting ask, by the shape of their statements: Superset, Tableau, Looker,
-- Looker Studio, Redash, Hex, Retool, TablePlus, connectorx, dbt.

-- name: superset / connect #1
-- columns(name:oid): version:25
select pg_catalog.version()

-- name: superset / connect #2
-- columns(name:oid): standard_conforming_strings:25
show standard_conforming_strings

-- name: superset / connect #3
-- columns(name:oid): datname:19
SELECT datname FROM pg_database WHERE datistemplate = false;

-- name: superset / connect #4
-- columns(name:oid): nspname:19
SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' ORDER BY nspname

-- name: superset / query #1
-- columns(name:oid): __timestamp:1184, station:25, AVG(temp):701
SELECT DATE_TRUNC('day', time) AS __timestamp, station AS station, AVG(temp) AS "AVG(temp)" FROM public.weather WHERE time >= TO_TIMESTAMP('2026-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') AND time < TO_TIMESTAMP('2026-01-10 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') GROUP BY DATE_TRUNC('day', time), station ORDER BY "AVG(temp)" DESC LIMIT 10000

-- name: superset / query #2
-- columns(name:oid): QUERY PLAN:25
EXPLAIN SELECT * FROM public.weather

-- name: superset / query #3
-- columns(name:oid): relname:19
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind in ('r', 'p')

-- name: superset / query #4
-- columns(name:oid): pg_backend_pid:23
SELECT pg_backend_pid()

-- name: superset / query #5
-- columns(name:oid): pg_terminate_backend:16
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid='0'

-- name: tableau / connect #1
-- columns(name:oid):
SET DateStyle = 'ISO'

-- name: tableau / connect #2
-- columns(name:oid): ?column?:23
SELECT 1

-- name: tableau / connect #3
-- columns(name:oid): current_schema:19
select current_schema()

-- name: tableau / connect #4
-- columns(name:oid): table_cat:25, table_schem:19, table_name:19, table_type:25, remarks:25, type_cat:25
SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, c.relname AS TABLE_NAME, CASE n.nspname ~ '^pg_' OR n.nspname = 'information_schema' WHEN true THEN CASE WHEN n.nspname = 'pg_catalog' OR n.nspname = 'information_schema' THEN CASE c.relkind WHEN 'r' THEN 'SYSTEM TABLE' WHEN 'v' THEN 'SYSTEM VIEW' ELSE NULL END ELSE NULL END WHEN false THEN CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' ELSE NULL END ELSE NULL END AS TABLE_TYPE, d.description AS REMARKS, '' as TYPE_CAT FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_description d ON (c.oid = d.objoid AND d.objsubid = 0 and d.classoid = 'pg_class'::regclass) WHERE c.relnamespace = n.oid AND n.nspname LIKE 'public' AND (false OR ( c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' )) ORDER BY TABLE_TYPE,TABLE_SCHEM,TABLE_NAME

-- name: tableau / query #1
-- columns(name:oid): station:25, sum:temp:ok:701
begin;declare "SQL_CUR7" cursor with hold for SELECT "weather"."station" AS "station", SUM("weather"."temp") AS "sum:temp:ok" FROM "public"."weather" "weather" GROUP BY 1;fetch 10000 in "SQL_CUR7"

-- name: tableau / query #2
-- columns(name:oid):
close "SQL_CUR7";commit

-- name: tableau / query #3
-- columns(name:oid): station:25, yr:time:ok:23, ctd:n:ok:20
SELECT CAST("weather"."station" AS TEXT) AS "station", CAST(TRUNC(EXTRACT(YEAR FROM "weather"."time")) AS INTEGER) AS "yr:time:ok", COUNT(DISTINCT "weather"."n") AS "ctd:n:ok" FROM "public"."weather" "weather" WHERE ((CAST("weather"."time" AS DATE) >= (DATE '2026-01-01')) AND ("weather"."ok" = TRUE)) GROUP BY 1, 2 HAVING (COUNT(1) > 0)

-- name: tableau / query #4
-- columns(name:oid): time:1184, station:25
SELECT * FROM (SELECT "time", "station" FROM "public"."weather") "Custom SQL Query" LIMIT 0

-- name: looker / connect #1
-- columns(name:oid): version:25, db:19
SELECT SUBSTRING(version(), 'PostgreSQL ([0-9.]+)') AS version, current_database() AS db

-- name: looker / connect #2
-- columns(name:oid): pid:23, usename:19, query:25
SELECT pid, usename, query FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()

-- name: looker / connect #3
-- columns(name:oid): schema_name:19
SELECT schema_name FROM information_schema.schemata ORDER BY schema_name

-- name: looker / connect #4
-- columns(name:oid): schema:19, name:19, type:1043
SELECT table_schema AS "schema", table_name AS "name", table_type AS "type" FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 2

-- name: looker / connect #5
-- columns(name:oid): column_name:19, data_type:1043, ordinal_position:23, character_maximum_length:23, numeric_precision:23, numeric_scale:23
SELECT column_name, data_type, ordinal_position, character_maximum_length, numeric_precision, numeric_scale FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'weather' ORDER BY ordinal_position

-- name: looker / query #1
-- columns(name:oid): weather.time_date:1082, weather.station:25, weather.count:20
SELECT (DATE(weather.time )) AS "weather.time_date", weather.station AS "weather.station", COUNT(*) AS "weather.count" FROM public.weather AS weather WHERE ((( weather.time ) >= ((DATE_TRUNC('day', TIMESTAMP '2026-01-01'))) AND ( weather.time ) < ((DATE_TRUNC('day', TIMESTAMP '2026-01-01') + (7 || ' day')::INTERVAL)))) GROUP BY (DATE(weather.time )), 2 ORDER BY 1 DESC FETCH NEXT 500 ROWS ONLY

-- name: looker studio / query #1
-- columns(name:oid): station:25, t0_qt_x:701
SELECT t0.station, SUM(t0.temp) AS t0_qt_x FROM (SELECT * FROM public.weather) AS t0 WHERE (t0.time >= CAST('2026-01-01 00:00:00' AS timestamp) AND t0.time <= CAST('2026-01-31 23:59:59' AS timestamp)) GROUP BY t0.station LIMIT 1000001

-- name: looker studio / query #2
-- columns(name:oid): table_name:19
SELECT table_name FROM information_schema.tables WHERE table_schema = ANY (current_schemas(false)) AND table_type IN ('BASE TABLE', 'VIEW')

-- name: redash / schema #1
-- columns(name:oid): table_schema:19, table_name:19, column_name:19, data_type:1043
SELECT s.nspname as table_schema, c.relname as table_name, a.attname as column_name, null as data_type
FROM pg_class c
JOIN pg_namespace s ON c.relnamespace = s.oid AND s.nspname NOT IN ('pg_catalog', 'information_schema')
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('m', 'f', 'p') AND has_table_privilege(quote_ident(s.nspname) || '.' || quote_ident(c.relname), 'select')
UNION
SELECT table_schema, table_name, column_name, data_type
FROM information_schema.columns
WHERE table_schema NOT IN ('pg_catalog', 'information_schema')

-- name: hex / schema #1
-- columns(name:oid): table_catalog:19, table_schema:19, table_name:19, column_name:19, data_type:1043, ordinal_position:23, table_type:1043
SELECT c.table_catalog, c.table_schema, c.table_name, c.column_name, c.data_type, c.ordinal_position, t.table_type
FROM information_schema.columns c JOIN information_schema.tables t USING (table_catalog, table_schema, table_name)
WHERE c.table_schema NOT IN ('information_schema', 'pg_catalog', 'pg_toast')
ORDER BY c.table_schema, c.table_name, c.ordinal_position

-- name: retool / schema #1
-- columns(name:oid): schema_name:19, table_name:19, column_name:19, data_type:19, enum_values:1003, not_null:16, has_default:16
SELECT n.nspname AS schema_name, c.relname AS table_name, a.attname AS column_name, t.typname AS data_type, (SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) AS enum_values, a.attnotnull AS not_null, a.atthasdef AS has_default
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%' AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'm', 'p')

-- name: tableplus / open #1
-- columns(name:oid): oid:20, typname:19
SELECT oid::int8, typname FROM pg_type WHERE typtype = 'e'

-- name: tableplus / open #2
-- columns(name:oid): name:19, schema:19, kind:18, estimate:20
SET statement_timeout TO '60000'; SELECT c.relname AS name, n.nspname AS schema, c.relkind AS kind, c.reltuples::bigint AS estimate FROM pg_class c INNER JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1

-- name: tableplus / open #3
-- columns(name:oid): ordinal_position:23, column_name:19, data_type:19, numeric_precision:23, datetime_precision:23, numeric_scale:23, data_length:23, is_nullable:1043, check:19, check_constraint:19, column_default:1043, foreign_key:19, comment:25
SELECT ordinal_position, column_name, udt_name AS data_type, numeric_precision, datetime_precision, numeric_scale, character_maximum_length AS data_length, is_nullable, column_name as check, column_name as check_constraint, column_default, column_name AS foreign_key, pg_catalog.col_description(@oid:public.weather@, ordinal_position) AS comment FROM information_schema.columns WHERE table_name='weather' AND table_schema='public'

-- name: tableplus / open #4
-- columns(name:oid): index_name:19, index_algorithm:25, is_unique:16, index_definition:25, condition:25, comment:25
SELECT ix.relname as index_name, upper(am.amname) AS index_algorithm, indisunique as is_unique, pg_get_indexdef(indexrelid) as index_definition, CASE WHEN position(' WHERE ' in pg_get_indexdef(indexrelid)) > 0 THEN regexp_replace(pg_get_indexdef(indexrelid), '.+WHERE ', '') ELSE '' END AS condition, pg_catalog.obj_description(i.indexrelid, 'pg_class') as comment FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class ix ON ix.oid = i.indexrelid JOIN pg_namespace n ON t.relnamespace = n.oid JOIN pg_am as am ON ix.relam = am.oid WHERE t.relname = 'weather' AND n.nspname = 'public'

-- name: connectorx / read #1
-- columns(name:oid):
COPY (SELECT * FROM (SELECT * FROM public.weather) AS CXTMPTAB_RANGE) TO STDOUT WITH BINARY

-- name: connectorx / read #2
-- columns(name:oid): min:23, max:23
SELECT min(CXTMPTAB_RANGE.n), max(CXTMPTAB_RANGE.n) FROM (SELECT * FROM public.weather) AS CXTMPTAB_RANGE

-- name: connectorx / read #3
-- columns(name:oid):
COPY (SELECT * FROM (SELECT station, n FROM public.weather) AS CXTMPTAB_PART WHERE 1 <= CXTMPTAB_PART.n AND CXTMPTAB_PART.n < 25) TO STDOUT WITH CSV

-- name: connectorx / read #4
-- columns(name:oid): count:20
SELECT count(*) FROM (SELECT station, n FROM public.weather) AS CXTMPTAB_COUNT

-- name: dbt / run #1
-- columns(name:oid): nspname:19
select distinct nspname from pg_namespace

-- name: dbt / run #2
-- columns(name:oid): database:25, name:19, schema:19, type:25
select 'lakedb' as database, tablename as name, schemaname as schema, 'table' as type
from pg_tables
where schemaname ilike 'public'
union all
select 'lakedb' as database, viewname as name, schemaname as schema, 'view' as type
from pg_views
where schemaname ilike 'public'
union all
select 'lakedb' as database, matviewname as name, schemaname as schema, 'materialized_view' as type
from pg_matviews
where schemaname ilike 'public'

-- name: dbt / run #3
-- columns(name:oid): dependent_schema:19, dependent_name:19, referenced_schema:19, referenced_name:19
with relation as (
  select pg_class.oid as id, pg_class.relname as name, relnamespace as schema_id, pg_namespace.nspname as schema_name, relkind as type
  from pg_class join pg_namespace on pg_class.relnamespace = pg_namespace.oid
  where nspname != 'information_schema' and nspname not like 'pg\_%'
),
dependency as (
  select distinct pg_depend.objid as id, pg_depend.refobjid as ref from pg_depend
),
class as (
  select id, name, schema_id, schema_name, type from relation
),
rewrite as (
  select pg_rewrite.ev_class as class, pg_rewrite.oid as id from pg_rewrite
)
select distinct
  dep.schema_name as dependent_schema, dep.name as dependent_name, ref.schema_name as referenced_schema, ref.name as referenced_name
from relation as ref
join dependency as d on ref.id = d.ref
join rewrite as r on d.id = r.id
join relation as dep on r.class = dep.id
where (ref.schema_name != dep.schema_name or ref.name != dep.name)
order by dependent_schema, dependent_name, referenced_schema, referenced_name

-- name: dbt / run #4
-- columns(name:oid): column_name:19, data_type:1043, character_maximum_length:23, numeric_precision:23, numeric_scale:23
select column_name, data_type, character_maximum_length, numeric_precision, numeric_scale
from INFORMATION_SCHEMA.columns
where table_name = 'weather' and table_schema = 'public'
order by ordinal_position

-- name: dbt / run #5
-- columns(name:oid): count:20
select count(*) from pg_namespace where nspname = 'public'

-- name: dbt / catalog #1
-- columns(name:oid): table_database:25, table_schema:19, table_name:19, table_type:25, table_comment:25, column_name:19, column_index:21, column_type:25, column_comment:25, table_owner:19
select
    'lakedb' as table_database, sch.nspname as table_schema, tbl.relname as table_name,
    case tbl.relkind when 'v' then 'VIEW' when 'm' then 'MATERIALIZED VIEW' else 'BASE TABLE' end as table_type,
    tbl_desc.description as table_comment,
    col.attname as column_name, col.attnum as column_index,
    pg_catalog.format_type(col.atttypid, col.atttypmod) as column_type,
    col_desc.description as column_comment,
    pg_get_userbyid(tbl.relowner) as table_owner
from pg_catalog.pg_namespace sch
join pg_catalog.pg_class tbl on tbl.relnamespace = sch.oid
join pg_catalog.pg_attribute col on col.attrelid = tbl.oid
left outer join pg_catalog.pg_description tbl_desc on (tbl_desc.objoid = tbl.oid and tbl_desc.objsubid = 0)
left outer join pg_catalog.pg_description col_desc on (col_desc.objoid = tbl.oid and col_desc.objsubid = col.attnum)
where (upper(sch.nspname) = upper('public'))
  and not pg_is_other_temp_schema(sch.oid)
  and tbl.relpersistence in ('p', 'u')
  and tbl.relkind in ('r', 'v', 'f', 'p', 'm')
  and col.attnum > 0
  and not col.attisdropped
order by sch.nspname, tbl.relname, col.attnum

-- name: dbt / indexes #1
-- columns(name:oid): name:19, method:19, unique:16, column_names:25
select
    i.relname as name, m.amname as method, ix.indisunique as "unique", array_to_string(array_agg(a.attname), ',') as column_names
from pg_index ix
join pg_class i on i.oid = ix.indexrelid
join pg_am m on m.oid=i.relam
join pg_class t on t.oid = ix.indrelid
join pg_namespace n on n.oid = t.relnamespace
join pg_attribute a on a.attrelid = t.oid and a.attnum = ANY(ix.indkey)
where t.relname = 'weather' and n.nspname = 'public' and t.relkind in ('r', 'm')
group by 1, 2, 3
order by 1, 2, 3

-- name: dbt / run #6
-- columns(name:oid): station:25, n:20
select * from (
    select station, count(*) as n from public.weather group by 1
) as __dbt_sbq
where false
limit 0

-- name: dbt / run #7
-- columns(name:oid): current_timestamp:1184, current_timestamp_backcompat:1114
select current_timestamp, current_timestamp::timestamp without time zone as current_timestamp_backcompat
