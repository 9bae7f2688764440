-- What Beekeeper Studio asks, by the shape of its statements.

-- name: beekeeper / connect #1
-- columns(name:oid): version:25
select version()

-- name: beekeeper / connect #2
-- columns(name:oid): schema:19
SELECT current_schema() AS schema

-- name: beekeeper / connect #3
-- columns(name:oid): schema:19, typename:19, typeid:23
SELECT n.nspname as schema, t.typname as typename, t.oid::int4 as typeid
FROM pg_type t
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE (t.typrelid = 0 OR (SELECT c.relkind = 'c' FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid))
AND NOT EXISTS(SELECT 1 FROM pg_catalog.pg_type el WHERE el.oid = t.typelem AND el.typarray = t.oid)
AND n.nspname NOT IN ('information_schema')

-- name: beekeeper / list #1
-- columns(name:oid): schema:19, name:19, tabletype:18, parenttype:18
SELECT
  t.table_schema as schema,
  t.table_name as name,
  pc.relkind as tabletype,
  parent_pc.relkind as parenttype
FROM information_schema.tables AS t
JOIN pg_class AS pc
  ON t.table_name = pc.relname AND quote_ident(t.table_schema) = pc.relnamespace::regnamespace::text
LEFT OUTER JOIN pg_inherits AS i
  ON pc.oid = i.inhrelid
LEFT OUTER JOIN pg_class AS parent_pc
  ON parent_pc.oid = i.inhparent
WHERE t.table_type NOT LIKE '%VIEW%'
AND table_schema = 'public'
ORDER BY t.table_schema, t.table_name

-- name: beekeeper / list #2
-- columns(name:oid): schema:19, name:19, expression:25
SELECT
  ps.schemaname AS schema,
  ps.relname AS name,
  pg_get_expr(pt.relpartbound, pt.oid, true) AS expression
FROM pg_class base_tb
  JOIN pg_inherits i              ON i.inhparent = base_tb.oid
  JOIN pg_class pt                ON pt.oid = i.inhrelid
  JOIN pg_stat_all_tables ps      ON ps.relid = i.inhrelid
  JOIN pg_namespace nmsp_parent   ON nmsp_parent.oid = base_tb.relnamespace
WHERE nmsp_parent.nspname = 'public' AND base_tb.relname = 'weather' AND base_tb.relkind = 'p';

-- name: beekeeper / list #3
-- columns(name:oid): schema:19, name:19
SELECT table_schema as schema, table_name as name FROM information_schema.views WHERE table_schema = 'public' ORDER BY table_schema, table_name

-- name: beekeeper / list #4
-- columns(name:oid): name:19, schema:19
SELECT matviewname as name, schemaname as schema FROM pg_matviews WHERE schemaname = 'public' order by schemaname, matviewname

-- name: beekeeper / list #5
-- columns(name:oid): id:19, routine_schema:19, name:19, routine_type:1043, data_type:1043
SELECT r.specific_name as id, r.routine_schema as routine_schema, r.routine_name as name, r.routine_type as routine_type, r.data_type as data_type
FROM INFORMATION_SCHEMA.ROUTINES r
where r.routine_schema not in ('sys', 'information_schema', 'pg_catalog', 'performance_schema')
ORDER BY routine_schema, routine_name

-- name: beekeeper / list #6
-- columns(name:oid): routine_schema:19, specific_name:19, parameter_name:19, char_length:23, data_type:1043
select r.routine_schema as routine_schema, r.specific_name as specific_name, p.parameter_name as parameter_name, p.character_maximum_length as char_length, p.data_type as data_type
from information_schema.routines r
  left join information_schema.parameters p
on p.specific_schema = r.routine_schema and p.specific_name = r.specific_name
where r.routine_schema not in ('sys', 'information_schema', 'pg_catalog', 'performance_schema')
  AND p.parameter_mode = 'IN'
order by r.routine_schema, r.specific_name, p.ordinal_position;

-- name: beekeeper / list #7
-- columns(name:oid): schema_name:19
SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT IN ('pg_toast') ORDER BY schema_name

-- name: beekeeper / list #8
-- columns(name:oid): datname:19
SELECT datname FROM pg_database WHERE datistemplate = false AND datname LIKE '%' ORDER BY datname

-- name: beekeeper / table #1
-- columns(name:oid): nspname:19, relname:19, attname:19, data_type:25, attnotnull:16
SELECT s.nspname, t.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) as data_type, a.attnotnull
FROM pg_attribute a
  JOIN pg_class t on a.attrelid = t.oid
  JOIN pg_namespace s on t.relnamespace = s.oid
WHERE a.attnum > 0 AND NOT a.attisdropped AND s.nspname = 'public' AND t.relname = 'weather'
ORDER BY a.attnum;

-- name: beekeeper / table #2
-- columns(name:oid): table_schema:19, table_name:19, column_name:19, is_nullable:1043, is_generated:1043, ordinal_position:23, column_default:1043, data_type:19, is_array:25, column_comment:25
SELECT
  table_schema, table_name, column_name, is_nullable, is_generated, ordinal_position, column_default,
  CASE
    WHEN character_maximum_length is not null  and udt_name != 'text'
      THEN udt_name || '(' || character_maximum_length::varchar(255) || ')'
    WHEN numeric_precision is not null and numeric_scale is not null
      THEN udt_name || '(' || numeric_precision::varchar(255) || ',' || numeric_scale::varchar(255) || ')'
    WHEN numeric_precision is not null and numeric_scale is null
      THEN udt_name || '(' || numeric_precision::varchar(255) || ')'
    WHEN datetime_precision is not null AND udt_name != 'date' THEN
      udt_name || '(' || datetime_precision::varchar(255) || ')'
    ELSE udt_name
  END as data_type,
  CASE WHEN data_type = 'ARRAY' THEN 'YES' ELSE 'NO' END as is_array,
  pg_catalog.col_description(format('%I.%I', table_schema, table_name)::regclass::oid, ordinal_position) as column_comment
FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = 'weather'
ORDER BY table_schema, table_name, ordinal_position

-- name: beekeeper / table #3
-- columns(name:oid): trigger_name:19, timing:1043, manipulation:1043, action:1043, condition:1043
SELECT trigger_name, action_timing as timing, event_manipulation as manipulation, action_statement as action, action_condition as condition
FROM information_schema.triggers
WHERE event_object_schema = 'public' AND event_object_table = 'weather'

-- name: beekeeper / table #4
-- columns(name:oid): indexname:19, index_order:23, id:26, indisunique:16, indisprimary:16, indnullsnotdistinct:16, index_column:19, ascending:16
SELECT (SELECT relname FROM pg_class c WHERE c.oid = i.indexrelid) as indexname,
  k.i AS index_order,
  i.indexrelid as id,
  i.indisunique,
  i.indisprimary,
  i.indnullsnotdistinct,
  coalesce(a.attname, (('{' || pg_get_expr(i.indexprs, i.indrelid) || '}')::text[])[k.i]) AS index_column,
  i.indoption[k.i - 1] = 0 AS ascending
FROM pg_index i
  CROSS JOIN LATERAL (SELECT unnest(i.indkey), generate_subscripts(i.indkey, 1) + 1) AS k(attnum, i)
  LEFT JOIN pg_attribute AS a ON i.indrelid = a.attrelid AND k.attnum = a.attnum
  JOIN pg_class t on t.oid = i.indrelid
  JOIN pg_namespace c on c.oid = t.relnamespace
WHERE c.nspname = 'public' AND t.relname = 'weather'

-- name: beekeeper / table #5
-- columns(name:oid): referenced_table_name:19
SELECT ctu.table_name AS referenced_table_name
FROM information_schema.table_constraints AS tc
  JOIN information_schema.constraint_table_usage AS ctu ON ctu.constraint_name = tc.constraint_name
WHERE tc.constraint_type = 'FOREIGN KEY' AND tc.table_name = 'weather' AND tc.table_schema = 'public'

-- name: beekeeper / table #6
-- columns(name:oid): from_schema:19, from_table:19, from_column:25, to_schema:19, constraint_name:19, update_rule:1043, delete_rule:1043, to_column:25, to_table:19
SELECT
  kcu.constraint_schema AS from_schema,
  kcu.table_name AS from_table,
  STRING_AGG(kcu.column_name, ',' ORDER BY kcu.ordinal_position) AS from_column,
  rc.unique_constraint_schema AS to_schema,
  tc.constraint_name,
  rc.update_rule,
  rc.delete_rule,
  (
    SELECT STRING_AGG(kcu2.column_name, ',' ORDER BY kcu2.ordinal_position)
    FROM information_schema.key_column_usage AS kcu2
    WHERE kcu2.constraint_name = rc.unique_constraint_name
  ) AS to_column,
  (
    SELECT kcu2.table_name
    FROM information_schema.key_column_usage AS kcu2
    WHERE kcu2.constraint_name = rc.unique_constraint_name LIMIT 1
  ) AS to_table
FROM information_schema.key_column_usage AS kcu
  JOIN information_schema.table_constraints AS tc ON tc.constraint_name = kcu.constraint_name
  JOIN information_schema.referential_constraints AS rc ON rc.constraint_name = kcu.constraint_name
WHERE
  tc.constraint_type = 'FOREIGN KEY' AND
  kcu.table_schema NOT LIKE 'pg_%' AND
  kcu.table_schema = 'public' AND
  kcu.table_name = 'weather'
GROUP BY kcu.constraint_schema, kcu.table_name, rc.unique_constraint_schema, rc.unique_constraint_name, tc.constraint_name, rc.update_rule, rc.delete_rule;

-- name: beekeeper / table #7
-- columns(name:oid): column_name:19, data_type:25, position:21
SELECT a.attname as column_name, format_type(a.atttypid, a.atttypmod) AS data_type, a.attnum as position
FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
WHERE i.indrelid = '"public"."weather"'::regclass AND i.indisprimary
ORDER BY a.attnum

-- name: beekeeper / table #8
-- columns(name:oid): total:700
SELECT reltuples as total FROM pg_class where oid = '"public"."weather"'::regclass

-- name: beekeeper / table #9
-- columns(name:oid): index_size:20, table_size:20, description:25
SELECT pg_indexes_size('"public"."weather"') as index_size, pg_relation_size('"public"."weather"') as table_size, obj_description('"public"."weather"'::regclass) as description

-- name: beekeeper / table #10
-- columns(name:oid): pg_get_viewdef:25
SELECT pg_get_viewdef('public.weather_v'::regclass, true)

-- name: beekeeper / query #1
-- columns(name:oid): pid:23
SELECT pg_backend_pid() AS pid

-- name: beekeeper / query #2
-- columns(name:oid): time:1184, station:25
SELECT "time", "station" FROM "public"."weather" ORDER BY "time" ASC LIMIT 100 OFFSET 0
