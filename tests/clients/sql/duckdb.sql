-- What the postgres extension of DuckDB asks when it attaches a database, by the shape of its statements.

-- name: duckdb / attach #1
-- columns(name:oid): version:25, count:20
SELECT version(), (SELECT COUNT(*) FROM pg_settings WHERE name LIKE 'rds%')

-- name: duckdb / attach #2
-- columns(name:oid):
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY

-- name: duckdb / attach #3
-- columns(name:oid): oid:26, nspname:19
SELECT oid, nspname
FROM pg_namespace

ORDER BY oid;

SELECT pg_namespace.oid AS namespace_id, relname, relpages, attname,
    pg_type.typname type_name, atttypmod type_modifier, pg_attribute.attndims ndim,
    attnum, pg_attribute.attnotnull AS notnull, NULL constraint_id,
    NULL constraint_type, NULL constraint_key
FROM pg_class
JOIN pg_namespace ON relnamespace = pg_namespace.oid
JOIN pg_attribute ON pg_class.oid=pg_attribute.attrelid
JOIN pg_type ON atttypid=pg_type.oid
WHERE attnum > 0 AND relkind IN ('r', 'v', 'm', 'f', 'p')
UNION ALL
SELECT pg_namespace.oid AS namespace_id, relname, NULL relpages, NULL attname, NULL type_name,
    NULL type_modifier, NULL ndim, NULL attnum, NULL AS notnull,
    pg_constraint.oid AS constraint_id, contype AS constraint_type,
    conkey AS constraint_key
FROM pg_class
JOIN pg_namespace ON relnamespace = pg_namespace.oid
JOIN pg_constraint ON (pg_class.oid=pg_constraint.conrelid)
WHERE relkind IN ('r', 'v', 'm', 'f', 'p') AND contype IN ('p', 'u')
ORDER BY namespace_id, relname, attnum, constraint_id;

SELECT n.oid, enum_type.typname AS type_name, e.enumlabel
FROM pg_type enum_type JOIN pg_enum e ON enum_type.oid = e.enumtypid JOIN pg_namespace n ON n.oid = enum_type.typnamespace
ORDER BY n.oid, enumtypid, enumsortorder;

SELECT pg_namespace.oid, pg_index.indexrelid, pg_class.relname AS index_name, pg_indexes.tablename
FROM pg_indexes JOIN pg_namespace ON (schemaname=nspname) JOIN pg_class ON pg_class.relname = indexname JOIN pg_index ON indexrelid = pg_class.oid
ORDER BY pg_namespace.oid;

-- name: duckdb / attach #4
-- columns(name:oid):
COMMIT

-- name: duckdb / tables #1
-- columns(name:oid): namespace_id:26, relname:19, relpages:23, attname:19, type_name:19, type_modifier:23, ndim:23, attnum:21, notnull:16, constraint_id:26, constraint_type:18, constraint_key:1005, type_schema:19, column_comment:25, table_comment:25
SELECT pg_namespace.oid AS namespace_id, relname, relpages, attname,
    pg_type.typname type_name, atttypmod type_modifier, pg_attribute.attndims ndim,
    attnum, pg_attribute.attnotnull AS notnull, NULL constraint_id,
    NULL constraint_type, NULL constraint_key, type_ns.nspname AS type_schema,
    col_desc.description AS column_comment,
    tbl_desc.description AS table_comment
FROM pg_class
JOIN pg_namespace ON relnamespace = pg_namespace.oid
JOIN pg_attribute ON pg_class.oid=pg_attribute.attrelid
JOIN pg_type ON atttypid=pg_type.oid
JOIN pg_namespace type_ns ON pg_type.typnamespace = type_ns.oid
LEFT JOIN pg_description col_desc ON col_desc.objoid=pg_class.oid AND col_desc.objsubid=pg_attribute.attnum
LEFT JOIN pg_description tbl_desc ON tbl_desc.objoid=pg_class.oid AND tbl_desc.objsubid=0
WHERE attnum > 0 AND relkind IN ('r', 'v', 'm', 'f', 'p') AND pg_namespace.nspname='public'
UNION ALL
SELECT pg_namespace.oid AS namespace_id, relname, NULL relpages, NULL attname, NULL type_name,
    NULL type_modifier, NULL ndim, NULL attnum, NULL AS notnull,
    pg_constraint.oid AS constraint_id, contype AS constraint_type,
    conkey AS constraint_key, NULL AS type_schema,
    NULL AS column_comment, NULL AS table_comment
FROM pg_class
JOIN pg_namespace ON relnamespace = pg_namespace.oid
JOIN pg_constraint ON (pg_class.oid=pg_constraint.conrelid)
WHERE relkind IN ('r', 'v', 'm', 'f', 'p') AND contype IN ('p', 'u') AND pg_namespace.nspname='public'
ORDER BY namespace_id, relname, attnum, constraint_id;

-- name: duckdb / tables #2
-- columns(name:oid): namespace_id:19, relname:19, relpages:23, attname:19, type_name:1043, type_modifier:23, ndim:23, attnum:23, notnull:25, constraint_id:25, constraint_type:25, constraint_key:25, type_schema:25, column_comment:25, table_comment:25
SELECT table_schema AS namespace_id, table_name AS relname, 0 AS relpages, column_name AS attname,
    data_type AS type_name, -1 AS type_modifier, 0 AS ndim, ordinal_position AS attnum,
    CASE WHEN is_nullable = 'NO' THEN 't' ELSE 'f' END AS notnull,
    NULL AS constraint_id, NULL AS constraint_type, NULL AS constraint_key,
    NULL AS type_schema, NULL AS column_comment, NULL AS table_comment
FROM information_schema.columns
WHERE table_schema NOT IN ('information_schema', 'pg_catalog', 'pg_toast') AND table_schema='public'
ORDER BY table_schema, table_name, ordinal_position;

-- name: duckdb / tables #3
-- columns(name:oid): oid:26, id:26, type:19, attname:19, typname:19
SELECT n.oid, t.typrelid AS id, t.typname as type, pg_attribute.attname, sub_type.typname
FROM pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
JOIN pg_class ON pg_class.oid = t.typrelid
JOIN pg_attribute ON attrelid=t.typrelid
JOIN pg_type sub_type ON (pg_attribute.atttypid=sub_type.oid)
WHERE pg_class.relkind = 'c'
AND t.typtype='c'
ORDER BY n.oid, t.oid, attrelid, attnum;

-- name: duckdb / snapshot #1
-- columns(name:oid):
BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ

-- name: duckdb / snapshot #2
-- columns(name:oid): pg_is_in_recovery:16, pg_export_snapshot:25, count:20
SELECT pg_is_in_recovery(), pg_export_snapshot(), (select count(*) from pg_stat_wal_receiver)

-- name: duckdb / scan #1
-- columns(name:oid): relpages:23
SELECT relpages FROM pg_class JOIN pg_namespace ON relnamespace = pg_namespace.oid WHERE nspname = 'public' AND relname = 'weather'

-- name: duckdb / scan #2
-- columns(name:oid):
COPY (SELECT "time", "station" FROM "public"."weather" WHERE ctid BETWEEN '(0,0)'::tid AND '(4294967295,0)'::tid) TO STDOUT (FORMAT "binary");

-- name: duckdb / scan #3
-- columns(name:oid):
COPY (SELECT "time", "temp" FROM "public"."weather" WHERE ("temp" > 1.0 AND "temp" IS NOT NULL)) TO STDOUT (FORMAT "binary");

-- name: duckdb / scan #4
-- columns(name:oid):
COPY (SELECT NULL FROM "public"."weather") TO STDOUT (FORMAT "binary");

-- name: duckdb / scan #5
-- columns(name:oid):
COPY (SELECT 1 LIMIT 0) TO STDOUT (FORMAT binary)
