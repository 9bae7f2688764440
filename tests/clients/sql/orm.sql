-- What ORMs, migration tools and drivers ask to learn a schema or a type, by the shape of their statements.

-- name: prisma / version #1
-- columns(name:oid): version:25
SELECT version()

-- name: prisma / version #2
-- columns(name:oid): exists:16, version:25, numeric_version:23
SELECT EXISTS(SELECT 1 FROM pg_namespace WHERE nspname = 'public'), version(), current_setting('server_version_num')::integer as numeric_version;

-- name: prisma / introspect #1
-- columns(name:oid): namespace_name:19
SELECT namespace.nspname as namespace_name FROM pg_namespace as namespace WHERE namespace.nspname = ANY ( ARRAY['public','lake'] ) ORDER BY namespace_name;

-- name: prisma / introspect #2
-- columns(name:oid): table_name:19, namespace:19, is_partition:16, has_subclass:16, has_row_level_security:16, reloptions:1009, description:25
SELECT
  tbl.relname AS table_name,
  namespace.nspname as namespace,
  (tbl.relhassubclass and tbl.relkind = 'p') as is_partition,
  (tbl.relhassubclass and tbl.relkind = 'r') as has_subclass,
  tbl.relrowsecurity as has_row_level_security,
  reloptions,
  obj_description(tbl.oid, 'pg_class') as description
FROM pg_class AS tbl
INNER JOIN pg_namespace AS namespace ON namespace.oid = tbl.relnamespace
WHERE
  ((tbl.relkind = 'r' AND tbl.relispartition = 'f') OR tbl.relkind = 'p')
  AND namespace.nspname = ANY ( ARRAY['public'] )
ORDER BY namespace, table_name;

-- name: prisma / introspect #3
-- columns(name:oid): namespace:19, table_name:19, column_name:19, formatted_type:25, numeric_precision:23, numeric_scale:23, numeric_precision_radix:23, datetime_precision:23, data_type:1043, type_schema_name:19, full_data_type:19, column_default:25, is_nullable:1043, is_identity:1043, character_maximum_length:23, description:25
SELECT
   oid.namespace,
   info.table_name,
   info.column_name,
   format_type(att.atttypid, att.atttypmod) as formatted_type,
   info.numeric_precision,
   info.numeric_scale,
   info.numeric_precision_radix,
   info.datetime_precision,
   info.data_type,
   info.udt_schema as type_schema_name,
   info.udt_name as full_data_type,
   pg_get_expr(attdef.adbin, attdef.adrelid) AS column_default,
   info.is_nullable,
   info.is_identity,
   info.character_maximum_length,
   col_description(att.attrelid, ordinal_position) AS description
FROM information_schema.columns info
JOIN pg_attribute att ON att.attname = info.column_name
JOIN (
    SELECT pg_class.oid, relname, pg_namespace.nspname as namespace
    FROM pg_class
    JOIN pg_namespace on pg_namespace.oid = pg_class.relnamespace
    AND pg_namespace.nspname = ANY ( ARRAY['public'] )
    WHERE reltype > 0
   ) as oid on oid.oid = att.attrelid
     AND relname = info.table_name
     AND namespace = info.table_schema
LEFT OUTER JOIN pg_attrdef attdef ON attdef.adrelid = att.attrelid AND attdef.adnum = att.attnum AND table_schema = namespace
WHERE table_schema = ANY ( ARRAY['public'] )
ORDER BY namespace, table_name, ordinal_position;

-- name: prisma / introspect #4
-- columns(name:oid): namespace:19, index_name:19, table_name:19, column_name:19, is_unique:16, is_primary_key:16, column_index:23, opclass:19, opcdefault:16, index_algo:19, column_order:25, nulls_first:16, condeferrable:16, condeferred:16
WITH rawindex AS (
    SELECT
        indrelid,
        indexrelid,
        indisunique,
        indisprimary,
        unnest(indkey) AS indkeyid,
        generate_subscripts(indkey, 1) AS indkeyidx,
        unnest(indclass) AS indclass,
        unnest(indoption) AS indoption
    FROM pg_index
    WHERE
        indpred IS NULL
        AND NOT indisexclusion
)
SELECT
    schemainfo.nspname AS namespace,
    indexinfo.relname AS index_name,
    tableinfo.relname AS table_name,
    columninfo.attname AS column_name,
    rawindex.indisunique AS is_unique,
    rawindex.indisprimary AS is_primary_key,
    rawindex.indkeyidx AS column_index,
    opclass.opcname AS opclass,
    opclass.opcdefault AS opcdefault,
    indexaccess.amname AS index_algo,
    CASE rawindex.indoption & 1
        WHEN 1 THEN 'DESC'
        ELSE 'ASC' END
        AS column_order,
    CASE rawindex.indoption & 2
        WHEN 2 THEN true
        ELSE false END
        AS nulls_first,
    pc.condeferrable AS condeferrable,
    pc.condeferred AS condeferred
FROM
    rawindex
    INNER JOIN pg_class AS indexinfo ON indexinfo.oid = rawindex.indexrelid
    INNER JOIN pg_class AS tableinfo ON tableinfo.oid = rawindex.indrelid
    INNER JOIN pg_namespace AS schemainfo ON schemainfo.oid = tableinfo.relnamespace
    LEFT JOIN pg_attribute AS columninfo
        ON columninfo.attrelid = tableinfo.oid AND columninfo.attnum = rawindex.indkeyid
    INNER JOIN pg_am AS indexaccess ON indexaccess.oid = indexinfo.relam
    LEFT JOIN pg_opclass AS opclass ON opclass.oid = rawindex.indclass
    LEFT JOIN pg_constraint pc ON rawindex.indexrelid = pc.conindid AND pc.contype <> 'f'
WHERE schemainfo.nspname = ANY ( ARRAY['public'] )
ORDER BY namespace, table_name, index_name, column_index;

-- name: prisma / introspect #5
-- columns(name:oid): con_id:26, child_column:19, parent_table:19, parent_column:19, confdeltype:18, confupdtype:18, referenced_schema_name:19, constraint_name:19, child:21, parent:21, table_name:19, namespace:19, condeferrable:16, condeferred:16
SELECT
    con.oid         AS "con_id",
    att2.attname    AS "child_column",
    cl.relname      AS "parent_table",
    att.attname     AS "parent_column",
    con.confdeltype,
    con.confupdtype,
    rel_ns.nspname  AS "referenced_schema_name",
    conname         AS constraint_name,
    child,
    parent,
    table_name, namespace,
    condeferrable,
    condeferred
FROM (SELECT
        ns.nspname AS "namespace",
        unnest(con1.conkey)                AS "parent",
        unnest(con1.confkey)                AS "child",
        cl.relname                          AS table_name,
        ns.nspname                          AS schema_name,
        generate_subscripts(con1.conkey, 1) AS colidx,
        con1.oid,
        con1.confrelid,
        con1.conrelid,
        con1.conname,
        con1.confdeltype,
        con1.confupdtype,
        con1.condeferrable,
        con1.condeferred
    FROM pg_class cl
            join pg_constraint con1 on con1.conrelid = cl.oid
            join pg_namespace ns on cl.relnamespace = ns.oid
    WHERE
        ns.nspname = ANY ( ARRAY['public'] )
        and con1.contype = 'f'
    ORDER BY colidx
    ) con
    JOIN pg_attribute att on att.attrelid = con.confrelid and att.attnum = con.child
    JOIN pg_class cl on cl.oid = con.confrelid
    JOIN pg_attribute att2 on att2.attrelid = con.conrelid and att2.attnum = con.parent
    JOIN pg_class rel_cl on con.confrelid = rel_cl.oid
    JOIN pg_namespace rel_ns on rel_cl.relnamespace = rel_ns.oid
ORDER BY namespace, table_name, constraint_name, con_id, con.colidx;

-- name: prisma / introspect #6
-- columns(name:oid): name:19, value:19, namespace:19, description:25
SELECT t.typname as name, e.enumlabel as value, n.nspname as namespace, obj_description(t.oid, 'pg_type') as description
FROM pg_type t JOIN pg_enum e ON t.oid = e.enumtypid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = ANY ( ARRAY['public'] ) ORDER BY e.enumsortorder

-- name: prisma / introspect #7
-- columns(name:oid): sequence_name:19, namespace:19, start_value:20, min_value:20, max_value:20, increment_by:20, cycle:16
SELECT
    sequence_name,
    namespace.nspname as namespace,
    start_value::bigint AS start_value,
    minimum_value::bigint AS min_value,
    maximum_value::bigint AS max_value,
    increment::bigint AS increment_by,
    (CASE cycle_option WHEN 'yes' THEN TRUE ELSE FALSE END) AS cycle
FROM information_schema.sequences INNER JOIN pg_namespace AS namespace ON namespace.nspname = sequence_schema
WHERE sequence_schema = ANY ( ARRAY['lake'] )

-- name: prisma / introspect #8
-- columns(name:oid): view_name:19, view_sql:25, namespace:19, description:25
SELECT views.viewname AS view_name, views.definition AS view_sql, views.schemaname AS namespace, obj_description(class.oid, 'pg_class') AS description
FROM pg_catalog.pg_views views
INNER JOIN pg_catalog.pg_namespace ns ON views.schemaname = ns.nspname
INNER JOIN pg_catalog.pg_class class ON class.relnamespace = ns.oid AND class.relname = views.viewname
WHERE schemaname = ANY ( ARRAY['public'] )

-- name: prisma / introspect #9
-- columns(name:oid): name:19, namespace:19, definition:25
SELECT p.proname as name, n.nspname as namespace, CASE WHEN l.lanname = 'internal' THEN p.prosrc ELSE pg_get_functiondef(p.oid) END as definition
FROM pg_proc p LEFT JOIN pg_namespace n ON p.pronamespace = n.oid LEFT JOIN pg_language l ON p.prolang = l.oid
WHERE n.nspname = ANY ( ARRAY['lake'] )

-- name: prisma / introspect #10
-- columns(name:oid): extension_name:19, extension_version:25, extension_relocatable:16, extension_schema:19
SELECT ext.extname AS extension_name, ext.extversion AS extension_version, ext.extrelocatable AS extension_relocatable, pn.nspname AS extension_schema
FROM pg_extension ext INNER JOIN pg_namespace pn ON ext.extnamespace = pn.oid ORDER BY ext.extname ASC

-- name: prisma / introspect #11
-- columns(name:oid): namespace:19, constraint_name:19, table_name:19, constraint_type:25, constraint_definition:25, is_deferrable:16, is_deferred:16
SELECT schemainfo.nspname AS namespace, conname AS constraint_name, tableinfo.relname AS table_name, contype::text as constraint_type, pg_get_constraintdef(constr.oid) AS constraint_definition, condeferrable AS is_deferrable, condeferred AS is_deferred
FROM pg_constraint constr INNER JOIN pg_namespace AS schemainfo ON schemainfo.oid = constr.connamespace INNER JOIN pg_class AS tableinfo ON tableinfo.oid = constr.conrelid
WHERE schemainfo.nspname = ANY ( ARRAY['public'] ) AND contype NOT IN ('p', 'u', 'f') ORDER BY namespace, table_name, constr.contype, constraint_name

-- name: drizzle / introspect #1
-- columns(name:oid): table_schema:19, table_name:19, type:25, rls_enabled:16
SELECT n.nspname AS table_schema, c.relname AS table_name, CASE WHEN c.relkind = 'r' THEN 'table' WHEN c.relkind = 'v' THEN 'view' WHEN c.relkind = 'm' THEN 'materialized_view' END AS type, c.relrowsecurity AS rls_enabled
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm') AND n.nspname = 'public'

-- name: drizzle / introspect #2
-- columns(name:oid): table_schema:19
select s.nspname as table_schema from pg_catalog.pg_namespace s join pg_catalog.pg_user u on u.usesysid = s.nspowner where nspname not in ('information_schema', 'pg_catalog', 'public') and nspname not like 'pg_toast%' and nspname not like 'pg_temp_%' order by table_schema

-- name: drizzle / introspect #3
-- columns(name:oid): schemaname:19, sequencename:19, start_value:20, min_value:20, max_value:20, increment_by:20, cycle:16, cache_size:20
select schemaname, sequencename, start_value, min_value, max_value, increment_by, cycle, cache_size from pg_sequences as seq WHERE schemaname = 'lake'

-- name: drizzle / introspect #4
-- columns(name:oid): enum_schema:19, enum_name:19, enum_value:19, sort_order:700
select n.nspname as enum_schema, t.typname as enum_name, e.enumlabel as enum_value, e.enumsortorder as sort_order from pg_type t join pg_enum e on t.oid = e.enumtypid join pg_catalog.pg_namespace n ON n.oid = t.typnamespace where n.nspname = 'public' order by enum_schema, enum_name, sort_order

-- name: drizzle / introspect #5
-- columns(name:oid): attrelid:25, attname:19, is_nullable:1043, array_dimensions:23, data_type:25, table_name:19, type_schema:19, seq_name:2205, column_name:19, column_default:1043, additional_dt:1043, enum_name:19, is_generated:1043, generation_expression:1043, is_identity:1043, identity_generation:1043, identity_start:1043, identity_increment:1043, identity_maximum:1043, identity_minimum:1043, identity_cycle:1043
SELECT a.attrelid::regclass::text, a.attname, is_nullable, a.attndims as array_dimensions
, CASE WHEN a.atttypid = ANY ('{int,int8,int2}'::regtype[])
  AND EXISTS (
     SELECT FROM pg_attrdef ad
     WHERE  ad.adrelid = a.attrelid
     AND    ad.adnum   = a.attnum
     AND    pg_get_expr(ad.adbin, ad.adrelid) = 'nextval(''' || pg_get_serial_sequence (a.attrelid::regclass::text, a.attname)::regclass || '''::regclass)'
     )
THEN CASE a.atttypid WHEN 'int'::regtype  THEN 'serial' WHEN 'int8'::regtype THEN 'bigserial' WHEN 'int2'::regtype THEN 'smallserial' END
ELSE format_type(a.atttypid, a.atttypmod)
END AS data_type, INFORMATION_SCHEMA.COLUMNS.table_name, ns.nspname as type_schema, pg_get_serial_sequence('"public"."weather"', a.attname)::regclass as seq_name, INFORMATION_SCHEMA.COLUMNS.column_name,
INFORMATION_SCHEMA.COLUMNS.column_default, INFORMATION_SCHEMA.COLUMNS.data_type as additional_dt,
INFORMATION_SCHEMA.COLUMNS.udt_name as enum_name,
INFORMATION_SCHEMA.COLUMNS.is_generated, INFORMATION_SCHEMA.COLUMNS.generation_expression,
INFORMATION_SCHEMA.COLUMNS.is_identity,INFORMATION_SCHEMA.COLUMNS.identity_generation,
INFORMATION_SCHEMA.COLUMNS.identity_start, INFORMATION_SCHEMA.COLUMNS.identity_increment,
INFORMATION_SCHEMA.COLUMNS.identity_maximum, INFORMATION_SCHEMA.COLUMNS.identity_minimum,
INFORMATION_SCHEMA.COLUMNS.identity_cycle
FROM  pg_attribute  a
JOIN INFORMATION_SCHEMA.COLUMNS ON INFORMATION_SCHEMA.COLUMNS.column_name = a.attname
JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_namespace ns ON ns.oid = t.typnamespace
WHERE  a.attrelid = '"public"."weather"'::regclass and INFORMATION_SCHEMA.COLUMNS.table_name = 'weather' and INFORMATION_SCHEMA.COLUMNS.table_schema = 'public'
AND    a.attnum > 0
AND    NOT a.attisdropped
ORDER  BY a.attnum;

-- name: drizzle / introspect #6
-- columns(name:oid): column_name:19, data_type:1043, constraint_type:1043, constraint_name:19, constraint_schema:19
SELECT c.column_name, c.data_type, constraint_type, constraint_name, constraint_schema
FROM information_schema.table_constraints tc
JOIN information_schema.constraint_column_usage AS ccu USING (constraint_schema, constraint_name)
JOIN information_schema.columns AS c ON c.table_schema = tc.constraint_schema AND tc.table_name = c.table_name AND ccu.column_name = c.column_name
WHERE tc.table_name = 'weather' and constraint_schema = 'public';

-- name: drizzle / introspect #7
-- columns(name:oid): constraint_name:19, constraint_schema:19, table_name:19, column_name:19, foreign_table_schema:19, foreign_table_name:19, foreign_column_name:19, update_rule:25
SELECT con.conname AS constraint_name, nsp.nspname AS constraint_schema, rel.relname AS table_name, att.attname AS column_name, fnsp.nspname AS foreign_table_schema, frel.relname AS foreign_table_name, fatt.attname AS foreign_column_name,
    CASE con.confupdtype WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' WHEN 'n' THEN 'SET NULL' WHEN 'c' THEN 'CASCADE' WHEN 'd' THEN 'SET DEFAULT' END AS update_rule
FROM pg_catalog.pg_constraint con
JOIN pg_catalog.pg_class rel ON rel.oid = con.conrelid
JOIN pg_catalog.pg_namespace nsp ON nsp.oid = con.connamespace
LEFT JOIN pg_catalog.pg_attribute att ON att.attnum = ANY (con.conkey) AND att.attrelid = con.conrelid
LEFT JOIN pg_catalog.pg_class frel ON frel.oid = con.confrelid
LEFT JOIN pg_catalog.pg_namespace fnsp ON fnsp.oid = frel.relnamespace
LEFT JOIN pg_catalog.pg_attribute fatt ON fatt.attnum = ANY (con.confkey) AND fatt.attrelid = con.confrelid
WHERE nsp.nspname = 'public' AND rel.relname = 'weather' AND con.contype IN ('f');

-- name: drizzle / introspect #8
-- columns(name:oid): table_name:19, indexname:19, index_order:23, is_unique:16, method:19, with:1009, column_name:19, is_expression:23, descending:16, nulls_first:16, where:25, opcname:19
SELECT DISTINCT ON (t.relname, ic.relname, k.i) t.relname as table_name, ic.relname AS indexname,
k.i AS index_order, i.indisunique as is_unique, am.amname as method, ic.reloptions as with, coalesce(a.attname, pg_get_indexdef(i.indexrelid, k.i, false)) AS column_name,
CASE WHEN pg_get_expr(i.indexprs, i.indrelid) IS NOT NULL THEN 1 ELSE 0 END AS is_expression,
i.indoption[k.i-1] & 1 = 1 AS descending, i.indoption[k.i-1] & 2 = 2 AS nulls_first,
pg_get_expr(i.indpred, i.indrelid) as where, opc.opcname
FROM pg_class t
    LEFT JOIN pg_index i ON t.oid = i.indrelid
    LEFT JOIN pg_class ic ON ic.oid = i.indexrelid
    CROSS JOIN LATERAL (SELECT unnest(i.indkey), generate_subscripts(i.indkey, 1) + 1) AS k(attnum, i)
    LEFT JOIN pg_attribute AS a ON i.indrelid = a.attrelid AND k.attnum = a.attnum
    JOIN pg_namespace c on c.oid = t.relnamespace
    LEFT JOIN pg_am AS am ON ic.relam = am.oid
    JOIN pg_opclass opc ON opc.oid = ANY(i.indclass)
WHERE c.nspname = 'public' AND t.relname = 'weather'

-- name: drizzle / introspect #9
-- columns(name:oid): rolname:19, rolinherit:16, rolcreatedb:16, rolcreaterole:16
SELECT rolname, rolinherit, rolcreatedb, rolcreaterole FROM pg_roles;

-- name: drizzle / introspect #10
-- columns(name:oid): schemaname:19, tablename:19, name:19, as:25, to:1003, for:25, using:25, with_check:25
SELECT schemaname, tablename, policyname as name, permissive as "as", roles as to, cmd as for, qual as using, with_check FROM pg_policies;

-- name: rails / connect #1
-- columns(name:oid): oid:26, typname:19
SELECT t.oid, t.typname FROM pg_type as t WHERE t.typname IN ('int2', 'int4', 'int8', 'oid', 'float4', 'float8', 'numeric', 'bool', 'timestamp', 'timestamptz')

-- name: rails / connect #2
-- columns(name:oid): oid:26, typname:19, typelem:26, typdelim:18, typinput:24, rngsubtype:26, typtype:18, typbasetype:26
SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype
FROM pg_type as t LEFT JOIN pg_range as r ON oid = rngtypid
WHERE t.typname IN ('int2', 'int4', 'int8', 'oid', 'float4', 'float8', 'text', 'varchar', 'char', 'name', 'bpchar', 'bool', 'bit', 'varbit', 'date', 'money', 'bytea', 'point', 'hstore', 'json', 'jsonb', 'cidr', 'inet', 'uuid', 'xml', 'tsvector', 'macaddr', 'citext', 'ltree', 'line', 'lseg', 'box', 'path', 'polygon', 'circle', 'numeric', 'interval', 'time', 'timestamp', 'timestamptz')

-- name: rails / connect #3
-- columns(name:oid): oid:26, typname:19, typelem:26, typdelim:18, typinput:24, rngsubtype:26, typtype:18, typbasetype:26
SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype
FROM pg_type as t LEFT JOIN pg_range as r ON oid = rngtypid
WHERE t.typtype IN ('r', 'e', 'd')

-- name: rails / connect #4
-- columns(name:oid): oid:26, typname:19, typelem:26, typdelim:18, typinput:24, rngsubtype:26, typtype:18, typbasetype:26
SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype
FROM pg_type as t LEFT JOIN pg_range as r ON oid = rngtypid
WHERE t.typelem IN (16, 17, 18, 19, 20, 21, 23, 25, 26, 114)

-- name: rails / connect #5
-- columns(name:oid): max_identifier_length:25
SHOW max_identifier_length

-- name: rails / connect #6
-- columns(name:oid):
SET standard_conforming_strings = on; SET intervalstyle = iso_8601; SET SESSION timezone TO 'UTC'; SET client_min_messages TO 'warning'

-- name: rails / schema #1
-- columns(name:oid): relname:19
SELECT c.relname FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY (current_schemas(false)) AND c.relkind IN ('r','v','m','p','f')

-- name: rails / schema #2
-- columns(name:oid): attname:19, format_type:25, pg_get_expr:25, attnotnull:16, atttypid:26, atttypmod:23, collname:19, comment:25, identity:18, attgenerated:18
SELECT a.attname, format_type(a.atttypid, a.atttypmod),
       pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod,
       c.collname, col_description(a.attrelid, a.attnum) AS comment,
       attidentity AS identity,
       attgenerated as attgenerated
  FROM pg_attribute a
  LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum
  LEFT JOIN pg_type t ON a.atttypid = t.oid
  LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation
 WHERE a.attrelid = '"weather"'::regclass
   AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attnum

-- name: rails / schema #3
-- columns(name:oid): attname:19
SELECT a.attname
  FROM (
         SELECT indrelid, indkey, generate_subscripts(indkey, 1) idx
           FROM pg_index
          WHERE indrelid = '"weather"'::regclass
            AND indisprimary
       ) i
  JOIN pg_attribute a
    ON a.attrelid = i.indrelid
   AND a.attnum = i.indkey[i.idx]
 ORDER BY i.idx

-- name: rails / schema #4
-- columns(name:oid): relname:19, indisunique:16, indkey:22, pg_get_indexdef:25, comment:25, indisvalid:16, columns:1009, all_columns:1003
SELECT distinct i.relname, d.indisunique, d.indkey, pg_get_indexdef(d.indexrelid),
                pg_catalog.obj_description(i.oid, 'pg_class') AS comment, d.indisvalid,
                ARRAY(
                  SELECT pg_get_indexdef(d.indexrelid, k + 1, true)
                  FROM generate_subscripts(d.indkey, 1) AS k
                  ORDER BY k
                ) AS columns,
                ARRAY(
                  SELECT a.attname
                  FROM pg_attribute a
                  WHERE a.attrelid = d.indexrelid
                ) AS all_columns
FROM pg_class t
INNER JOIN pg_index d ON t.oid = d.indrelid
INNER JOIN pg_class i ON d.indexrelid = i.oid
LEFT JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE i.relkind IN ('i', 'I')
  AND d.indisprimary = 'f'
  AND t.relname = 'weather'
  AND n.nspname = ANY (current_schemas(false))
ORDER BY i.relname

-- name: rails / schema #5
-- columns(name:oid): to_table:25, column:19, primary_key:19, name:19, on_update:18, on_delete:18, valid:16, deferrable:16, deferred:16, conkey:1005, confkey:1005, conrelid:26, confrelid:26
SELECT t2.oid::regclass::text AS to_table, a1.attname AS column, a2.attname AS primary_key, c.conname AS name, c.confupdtype AS on_update, c.confdeltype AS on_delete, c.convalidated AS valid, c.condeferrable AS deferrable, c.condeferred AS deferred, c.conkey, c.confkey, c.conrelid, c.confrelid
FROM pg_constraint c
JOIN pg_class t1 ON c.conrelid = t1.oid
JOIN pg_class t2 ON c.confrelid = t2.oid
JOIN pg_attribute a1 ON a1.attnum = c.conkey[1] AND a1.attrelid = t1.oid
JOIN pg_attribute a2 ON a2.attnum = c.confkey[1] AND a2.attrelid = t2.oid
JOIN pg_namespace t3 ON c.connamespace = t3.oid
WHERE c.contype = 'f'
  AND t1.relname = 'weather'
  AND t3.nspname = ANY (current_schemas(false))
ORDER BY c.conname

-- name: rails / schema #6
-- columns(name:oid): extname:19, schema:19
SELECT pg_extension.extname, n.nspname AS schema FROM pg_extension JOIN pg_namespace n ON pg_extension.extnamespace = n.oid

-- name: rails / schema #7
-- columns(name:oid): name:19, oid:26, schema:19, value:1003
SELECT type.typname AS name, type.OID AS oid, n.nspname AS schema, array_agg(enum.enumlabel ORDER BY enum.enumsortorder) AS value
FROM pg_enum AS enum
JOIN pg_type AS type ON (type.oid = enum.enumtypid)
JOIN pg_namespace n ON type.typnamespace = n.oid
WHERE n.nspname = ANY (current_schemas(false))
GROUP BY type.OID, n.nspname, type.typname;

-- name: rails / schema #8
-- columns(name:oid): pg_try_advisory_lock:16
SELECT pg_try_advisory_lock(2995313838)

-- name: rails / schema #9
-- columns(name:oid): conname:19, constraintdef:25, valid:16
SELECT conname, pg_get_constraintdef(c.oid, true) AS constraintdef, c.convalidated AS valid
FROM pg_constraint c
JOIN pg_class t ON c.conrelid = t.oid
JOIN pg_namespace n ON n.oid = c.connamespace
WHERE c.contype = 'c' AND t.relname = 'weather' AND n.nspname = ANY (current_schemas(false))

-- name: rails / schema #10
-- columns(name:oid): attname:19, nspname:19, relname:19
SELECT attr.attname, nsp.nspname, seq.relname
FROM pg_class seq, pg_attribute attr, pg_depend dep, pg_constraint cons, pg_namespace nsp, pg_sequence pgs
WHERE seq.oid = dep.objid
  AND seq.relkind = 'S'
  AND attr.attrelid = dep.refobjid
  AND attr.attnum = dep.refobjsubid
  AND attr.attrelid = cons.conrelid
  AND attr.attnum = cons.conkey[1]
  AND seq.relnamespace = nsp.oid
  AND cons.contype = 'p'
  AND dep.classid = 'pg_class'::regclass
  AND dep.refobjid = '"weather"'::regclass

-- name: django / introspect #1
-- columns(name:oid): relname:19, case:25, obj_description:25
SELECT
    c.relname,
    CASE
        WHEN c.relispartition THEN 'p'
        WHEN c.relkind IN ('m', 'v') THEN 'v'
        ELSE 't'
    END,
    obj_description(c.oid, 'pg_class')
FROM pg_catalog.pg_class c
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v')
    AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
    AND pg_catalog.pg_table_is_visible(c.oid)

-- name: django / introspect #2
-- columns(name:oid): column_name:19, is_nullable:16, column_default:25, collation:19, is_autofield:16, column_comment:25
SELECT
    a.attname AS column_name,
    NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS is_nullable,
    pg_get_expr(ad.adbin, ad.adrelid) AS column_default,
    CASE WHEN collname = 'default' THEN NULL ELSE collname END AS collation,
    a.attidentity != '' AS is_autofield,
    col_description(a.attrelid, a.attnum) AS column_comment
FROM pg_attribute a
LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum
LEFT JOIN pg_collation co ON a.attcollation = co.oid
JOIN pg_type t ON a.atttypid = t.oid
JOIN pg_class c ON a.attrelid = c.oid
JOIN pg_namespace n ON c.relnamespace = n.oid
WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v')
    AND c.relname = 'weather'
    AND n.nspname NOT IN ('pg_catalog', 'pg_toast')
    AND pg_catalog.pg_table_is_visible(c.oid)

-- name: django / introspect #3
-- columns(name:oid): sequence_name:19, colname:19
SELECT
    s.relname AS sequence_name,
    a.attname AS colname
FROM
    pg_class s
    JOIN pg_depend d ON d.objid = s.oid
        AND d.classid = 'pg_class'::regclass
        AND d.refclassid = 'pg_class'::regclass
    JOIN pg_attribute a ON d.refobjid = a.attrelid
        AND d.refobjsubid = a.attnum
    JOIN pg_class tbl ON tbl.oid = d.refobjid
        AND tbl.relname = 'weather'
        AND pg_catalog.pg_table_is_visible(tbl.oid)
WHERE
    s.relkind = 'S';

-- name: django / introspect #4
-- columns(name:oid): conname:19, array:1003, contype:18, ?column?:25, reloptions:1009
SELECT
    c.conname,
    array(
        SELECT attname
        FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx)
        JOIN pg_attribute AS ca ON cols.colid = ca.attnum
        WHERE ca.attrelid = c.conrelid
        ORDER BY cols.arridx
    ),
    c.contype,
    (SELECT fkc.relname || '.' || fka.attname
    FROM pg_attribute AS fka
    JOIN pg_class AS fkc ON fka.attrelid = fkc.oid
    WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]),
    cl.reloptions
FROM pg_constraint AS c
JOIN pg_class AS cl ON c.conrelid = cl.oid
WHERE cl.relname = 'weather'
    AND pg_catalog.pg_table_is_visible(cl.oid)

-- name: django / introspect #5
-- columns(name:oid): indexname:19, array_agg:1003, indisunique:16, indisprimary:16, array_agg:1009, amname:19, exprdef:25, attoptions:1009
SELECT
    indexname,
    array_agg(attname ORDER BY arridx),
    indisunique,
    indisprimary,
    array_agg(ordering ORDER BY arridx),
    amname,
    exprdef,
    s2.attoptions
FROM (
    SELECT
        c2.relname as indexname, idx.*, attr.attname, am.amname,
        CASE
            WHEN idx.indexprs IS NOT NULL THEN
                pg_get_indexdef(idx.indexrelid)
        END AS exprdef,
        CASE am.amname
            WHEN 'btree' THEN
                CASE (option & 1)
                    WHEN 1 THEN 'DESC' ELSE 'ASC'
                END
        END as ordering,
        c2.reloptions as attoptions
    FROM (
        SELECT *
        FROM
            pg_index i,
            unnest(i.indkey, i.indoption)
                WITH ORDINALITY koi(key, option, arridx)
    ) idx
    LEFT JOIN pg_class c ON idx.indrelid = c.oid
    LEFT JOIN pg_class c2 ON idx.indexrelid = c2.oid
    LEFT JOIN pg_am am ON c2.relam = am.oid
    LEFT JOIN
        pg_attribute attr ON attr.attrelid = c.oid AND attr.attnum = idx.key
    WHERE c.relname = 'weather'
        AND pg_catalog.pg_table_is_visible(c.oid)
) s2
GROUP BY indexname, indisunique, indisprimary, amname, exprdef, attoptions;

-- name: django / introspect #6
-- columns(name:oid): attname:19, relname:19, attname:19
SELECT a1.attname, c2.relname, a2.attname
FROM pg_constraint con
LEFT JOIN pg_class c1 ON con.conrelid = c1.oid
LEFT JOIN pg_class c2 ON con.confrelid = c2.oid
LEFT JOIN pg_attribute a1 ON c1.oid = a1.attrelid AND a1.attnum = con.conkey[1]
LEFT JOIN pg_attribute a2 ON c2.oid = a2.attrelid AND a2.attnum = con.confkey[1]
WHERE c1.relname = 'weather' AND con.contype = 'f' AND c1.relnamespace = c2.relnamespace AND pg_catalog.pg_table_is_visible(c1.oid)

-- name: django / introspect #7
-- columns(name:oid): time:1184, station:25, temp:701, humidity:700, pressure:1700, n:23, big:20, ok:16, day:1082, tags:1009
SELECT * FROM "weather" LIMIT 1

-- name: postgrex / types #1
-- columns(name:oid): oid:26, typname:19, typsend:24, typreceive:24, typoutput:24, typinput:24, coalesce:26, coalesce:26, array:1028
SELECT t.oid, t.typname, t.typsend, t.typreceive, t.typoutput, t.typinput,
       coalesce(d.typelem, t.typelem), coalesce(r.rngsubtype, 0), ARRAY (
  SELECT a.atttypid
  FROM pg_attribute AS a
  WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attnum
)
FROM pg_type AS t
LEFT JOIN pg_type AS d ON t.typbasetype = d.oid
LEFT JOIN pg_range AS r ON r.rngtypid = t.oid OR r.rngmultitypid = t.oid OR (t.typbasetype <> 0 AND r.rngtypid = t.typbasetype)
WHERE (t.typrelid = 0)
AND (t.typelem = 0 OR NOT EXISTS (SELECT 1 FROM pg_catalog.pg_type s WHERE s.typrelid != 0 AND s.oid = t.typelem))

-- name: sequelize / describe #1
-- columns(name:oid): table_name:19
SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type LIKE '%TABLE' AND table_name != 'spatial_ref_sys';

-- name: sequelize / describe #2
-- columns(name:oid): Constraint:1043, Field:19, Default:1043, Null:1043, Type:25, special:1003, Comment:25
SELECT pk.constraint_type as "Constraint", c.column_name as "Field", c.column_default as "Default", c.is_nullable as "Null", (CASE WHEN c.udt_name = 'hstore' THEN c.udt_name ELSE c.data_type END) || (CASE WHEN c.character_maximum_length IS NOT NULL THEN '(' || c.character_maximum_length || ')' ELSE '' END) as "Type", (SELECT array_agg(e.enumlabel) FROM pg_catalog.pg_type t JOIN pg_catalog.pg_enum e ON t.oid=e.enumtypid WHERE t.typname=c.udt_name) AS "special", (SELECT pgd.description FROM pg_catalog.pg_statio_all_tables AS st INNER JOIN pg_catalog.pg_description pgd on (pgd.objoid=st.relid) WHERE c.ordinal_position=pgd.objsubid AND c.table_name=st.relname) AS "Comment" FROM information_schema.columns c LEFT JOIN (SELECT tc.table_schema, tc.table_name, cu.column_name, tc.constraint_type FROM information_schema.TABLE_CONSTRAINTS tc JOIN information_schema.KEY_COLUMN_USAGE  cu ON tc.table_schema=cu.table_schema and tc.table_name=cu.table_name and tc.constraint_name=cu.constraint_name and tc.constraint_type='PRIMARY KEY') pk ON pk.table_schema=c.table_schema AND pk.table_name=c.table_name AND pk.column_name=c.column_name WHERE c.table_name = 'weather' AND c.table_schema = 'public'

-- name: sequelize / describe #3
-- columns(name:oid): name:19, primary:16, unique:16, indkey:22, column_indexes:1005, column_names:1003, definition:25
SELECT i.relname AS name, ix.indisprimary AS primary, ix.indisunique AS unique, ix.indkey AS indkey, array_agg(a.attnum) as column_indexes, array_agg(a.attname) AS column_names, pg_get_indexdef(ix.indexrelid) AS definition FROM pg_class t, pg_class i, pg_index ix, pg_attribute a, pg_namespace s WHERE t.oid = ix.indrelid AND i.oid = ix.indexrelid AND a.attrelid = t.oid AND t.relkind = 'r' and t.relname = 'weather' AND s.oid = t.relnamespace AND s.nspname = 'public' GROUP BY i.relname, ix.indexrelid, ix.indisprimary, ix.indisunique, ix.indkey ORDER BY i.relname;

-- name: sequelize / describe #4
-- columns(name:oid): constraint_name:19, constraint_schema:19, constraint_catalog:19, table_name:19, column_name:19, referenced_table_schema:19, referenced_table_name:19, referenced_column_name:19
SELECT DISTINCT tc.constraint_name as constraint_name, tc.constraint_schema as constraint_schema, tc.constraint_catalog as constraint_catalog, tc.table_name as table_name, kcu.column_name as column_name, ccu.table_schema AS referenced_table_schema, ccu.table_name AS referenced_table_name, ccu.column_name AS referenced_column_name FROM information_schema.table_constraints AS tc JOIN information_schema.key_column_usage AS kcu ON tc.constraint_name = kcu.constraint_name JOIN information_schema.constraint_column_usage AS ccu ON ccu.constraint_name = tc.constraint_name WHERE constraint_type = 'FOREIGN KEY' AND tc.table_name = 'weather'

-- name: sequelize / connect #1
-- columns(name:oid): typname:19, typtype:18, oid:26, typarray:26
SELECT typname, typtype, oid, typarray FROM pg_type WHERE (typtype = 'b' AND typname IN ('hstore', 'geometry', 'geography')) OR (typtype = 'e')

-- name: sequelize / connect #2
-- columns(name:oid): typname:19, typtype:18, oid:26, typarray:26, rngtypname:19, rngtypid:26, rngtyparray:26
WITH ranges AS (SELECT pg_range.rngtypid, pg_type.typname AS rngtypname, pg_type.typarray AS rngtyparray, pg_range.rngsubtype FROM pg_range LEFT OUTER JOIN pg_type ON pg_type.oid = pg_range.rngtypid)SELECT pg_type.typname, pg_type.typtype, pg_type.oid, pg_type.typarray, ranges.rngtypname, ranges.rngtypid, ranges.rngtyparray FROM pg_type LEFT OUTER JOIN ranges ON pg_type.oid = ranges.rngsubtype WHERE (pg_type.typtype IN('b', 'e'));

-- name: typeorm / schema #1
-- columns(name:oid): table_catalog:19, table_schema:19, table_name:19, table_type:1043, self_referencing_column_name:19, reference_generation:1043, user_defined_type_catalog:19, user_defined_type_schema:19, user_defined_type_name:19, is_insertable_into:1043, is_typed:1043, commit_action:1043
SELECT * FROM "information_schema"."tables" WHERE "table_schema" = 'public' AND "table_name" = 'typeorm_metadata'

-- name: typeorm / schema #2
-- columns(name:oid): table_schema:19, table_name:19, constraint_name:19, expression:25, constraint_type:25, column_name:19
SELECT "ns"."nspname" AS "table_schema", "t"."relname" AS "table_name", "cnst"."conname" AS "constraint_name", pg_get_constraintdef("cnst"."oid") AS "expression", CASE "cnst"."contype" WHEN 'p' THEN 'PRIMARY' WHEN 'u' THEN 'UNIQUE' WHEN 'c' THEN 'CHECK' WHEN 'x' THEN 'EXCLUDE' END AS "constraint_type", "a"."attname" AS "column_name" FROM "pg_constraint" "cnst" INNER JOIN "pg_class" "t" ON "t"."oid" = "cnst"."conrelid" INNER JOIN "pg_namespace" "ns" ON "ns"."oid" = "cnst"."connamespace" LEFT JOIN "pg_attribute" "a" ON "a"."attrelid" = "cnst"."conrelid" AND "a"."attnum" = ANY ("cnst"."conkey") WHERE "t"."relkind" IN ('r', 'p') AND (("ns"."nspname" = 'public' AND "t"."relname" = 'weather'))

-- name: typeorm / schema #3
-- columns(name:oid): table_schema:19, table_name:19, constraint_name:19, column_name:19, is_unique:25, condition:25, type_name:19, index_type:19
SELECT "ns"."nspname" AS "table_schema", "t"."relname" AS "table_name", "i"."relname" AS "constraint_name", "a"."attname" AS "column_name", CASE "ix"."indisunique" WHEN 't' THEN 'TRUE' ELSE'FALSE' END AS "is_unique", pg_get_expr("ix"."indpred", "ix"."indrelid") AS "condition", "types"."typname" AS "type_name", "am"."amname" AS "index_type" FROM "pg_class" "t" INNER JOIN "pg_index" "ix" ON "ix"."indrelid" = "t"."oid" INNER JOIN "pg_attribute" "a" ON "a"."attrelid" = "t"."oid"  AND "a"."attnum" = ANY ("ix"."indkey") INNER JOIN "pg_namespace" "ns" ON "ns"."oid" = "t"."relnamespace" INNER JOIN "pg_class" "i" ON "i"."oid" = "ix"."indexrelid" INNER JOIN "pg_type" "types" ON "types"."oid" = "a"."atttypid" INNER JOIN "pg_am" "am" ON "i"."relam" = "am"."oid" LEFT JOIN "pg_constraint" "cnst" ON "cnst"."conname" = "i"."relname" WHERE "t"."relkind" IN ('r', 'p') AND "cnst"."contype" IS NULL AND (("ns"."nspname" = 'public' AND "t"."relname" = 'weather'))

-- name: knex / schema #1
-- columns(name:oid): table_catalog:19, table_schema:19, table_name:19, table_type:1043, self_referencing_column_name:19, reference_generation:1043, user_defined_type_catalog:19, user_defined_type_schema:19, user_defined_type_name:19, is_insertable_into:1043, is_typed:1043, commit_action:1043
select * from information_schema.tables where table_name = 'weather' and table_schema = current_schema()

-- name: knex / schema #2
-- columns(name:oid): table_catalog:19, table_schema:19, table_name:19, column_name:19, ordinal_position:23, column_default:1043, is_nullable:1043, data_type:1043, character_maximum_length:23, character_octet_length:23, numeric_precision:23, numeric_precision_radix:23, numeric_scale:23, datetime_precision:23, interval_type:1043, interval_precision:23, character_set_catalog:19, character_set_schema:19, character_set_name:19, collation_catalog:19, collation_schema:19, collation_name:19, domain_catalog:19, domain_schema:19, domain_name:19, udt_catalog:19, udt_schema:19, udt_name:19, scope_catalog:19, scope_schema:19, scope_name:19, maximum_cardinality:23, dtd_identifier:19, is_self_referencing:1043, is_identity:1043, identity_generation:1043, identity_start:1043, identity_increment:1043, identity_maximum:1043, identity_minimum:1043, identity_cycle:1043, is_generated:1043, generation_expression:1043, is_updatable:1043
select * from information_schema.columns where table_name = 'weather' and table_catalog = current_database() and table_schema = current_schema()

-- name: flyway / probe #1
-- columns(name:oid): current_user:19
SELECT current_user

-- name: flyway / probe #2
-- columns(name:oid): search_path:25
SHOW search_path

-- name: flyway / probe #3
-- columns(name:oid): count:20
SELECT COUNT(*) FROM pg_namespace WHERE nspname='public'

-- name: flyway / probe #4
-- columns(name:oid): exists:16
SELECT EXISTS (
  SELECT 1
  FROM   pg_catalog.pg_class c
  JOIN   pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE  n.nspname = 'public'
  AND    c.relname = 'flyway_schema_history'
  AND    c.relkind = 'r'
)

-- name: flyway / probe #5
-- columns(name:oid): exists:16
SELECT EXISTS (
  SELECT c.oid FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_depend d ON d.objid = c.oid AND d.deptype = 'e'
  WHERE  n.nspname = 'public' AND d.objid IS NULL AND c.relkind IN ('r', 'v', 'S', 't')
UNION ALL
  SELECT t.oid FROM pg_catalog.pg_type t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_depend d ON d.objid = t.oid AND d.deptype = 'e'
  WHERE n.nspname = 'public' AND d.objid IS NULL AND t.typcategory NOT IN ('A', 'C')
UNION ALL
  SELECT p.oid FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  LEFT JOIN pg_catalog.pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
  WHERE n.nspname = 'public' AND d.objid IS NULL
)

-- name: flyway / probe #6
-- columns(name:oid): proname:19, args:25, kind:18
SELECT proname, oidvectortypes(proargtypes) AS args, pg_proc.prokind as kind FROM pg_proc INNER JOIN pg_namespace ns ON (pg_proc.pronamespace = ns.oid) LEFT JOIN pg_depend dep ON dep.objid = pg_proc.oid AND dep.deptype = 'e' WHERE ns.nspname = 'lake' AND dep.objid IS NULL

-- name: flyway / probe #7
-- columns(name:oid): typname:19, typcategory:18
SELECT t.typname, t.typcategory FROM pg_catalog.pg_type t LEFT JOIN pg_depend dep ON dep.objid = t.oid and dep.deptype = 'e' WHERE (t.typrelid = 0 OR (SELECT c.relkind = 'c' FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid)) AND NOT EXISTS(SELECT 1 FROM pg_catalog.pg_type el WHERE el.oid = t.typelem AND el.typarray = t.oid) and t.typnamespace in (select oid from pg_catalog.pg_namespace where nspname = 'lake') and dep.objid is null and t.typtype != 'd'

-- name: liquibase / probe #1
-- columns(name:oid): current_setting:25
SELECT current_setting('search_path')

-- name: liquibase / probe #2
-- columns(name:oid): sequence_name:19, min_value:20, max_value:20, increment_by:20, will_cycle:16, start_value:20, cache_size:20, seq_type:25
SELECT c.relname AS SEQUENCE_NAME, s.seqmin AS MIN_VALUE, s.seqmax AS MAX_VALUE, s.seqincrement AS INCREMENT_BY, s.seqcycle AS WILL_CYCLE, s.seqstart AS START_VALUE, s.seqcache AS CACHE_SIZE, pg_catalog.format_type(s.seqtypid, NULL) AS SEQ_TYPE
FROM pg_class c JOIN pg_namespace ns on c.relnamespace = ns.oid JOIN pg_sequence s on c.oid = s.seqrelid
WHERE c.relkind='S' AND ns.nspname = 'lake' AND c.oid not in (select d.objid FROM pg_depend d where d.refobjsubid > 0)

-- name: liquibase / probe #3
-- columns(name:oid): table_name:19, pg_get_viewdef:25
select TABLE_NAME, pg_catalog.pg_get_viewdef(format('%I.%I', table_schema, table_name)::regclass, true) from information_schema.views where table_schema = 'public'

-- name: debezium / start #1
-- columns(name:oid): wal_level:25
SHOW wal_level

-- name: debezium / start #2
-- columns(name:oid): rolcanlogin:16, rolreplication:16, aws_superuser:16
select rolcanlogin AS rolcanlogin, rolreplication AS rolreplication, CAST(array_position(ARRAY(SELECT b.rolname FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles b ON (m.roleid = b.oid) WHERE m.member = r.oid), 'rds_superuser') AS BOOL) IS TRUE AS aws_superuser FROM pg_roles r WHERE r.rolname = current_user

-- name: debezium / start #3
-- columns(name:oid): slot_name:19, plugin:19, slot_type:25, datoid:26, database:19, temporary:16, active:16, active_pid:23, xmin:28, catalog_xmin:28, restart_lsn:3220, confirmed_flush_lsn:3220, wal_status:25, safe_wal_size:20, two_phase:16
select * from pg_replication_slots where slot_name = 'debezium' and database = 'lakedb' and plugin = 'pgoutput'

-- name: debezium / start #4
-- columns(name:oid): count:20
SELECT COUNT(1) FROM pg_publication WHERE pubname = 'dbz_publication'

-- name: debezium / start #5
-- columns(name:oid): relreplident:18
select relreplident from pg_catalog.pg_class c left join pg_catalog.pg_namespace n on c.relnamespace=n.oid where n.nspname='public' and c.relname='weather'

-- name: debezium / start #6
-- columns(name:oid): oid:26, name:19, element:26, parentoid:26, modifiers:23, category:18, enum_values:1003
SELECT t.oid AS oid, t.typname AS name, t.typelem AS element, t.typbasetype AS parentoid, t.typtypmod as modifiers, t.typcategory as category, e.values as enum_values
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON (t.typnamespace = n.oid)
LEFT JOIN (SELECT t.enumtypid as id, array_agg(t.enumlabel) as values FROM pg_catalog.pg_enum t GROUP BY id) e ON (t.oid = e.id)
WHERE n.nspname != 'pg_toast'

-- name: debezium / start #7
-- columns(name:oid): primary_node:23, now:1184, pg_size_pretty:25
select (case pg_is_in_recovery() when 't' then 0 else 1 end) AS primary_node, now(), pg_size_pretty(0::bigint)

-- name: rpostgres / dbi #1
-- columns(name:oid): oid:26, typname:19
SELECT oid, typname FROM pg_type

-- name: rpostgres / dbi #2
-- columns(name:oid): table_name:19
SELECT table_name FROM INFORMATION_SCHEMA.tables WHERE (table_schema = ANY(current_schemas(true))) AND (table_schema <> 'pg_catalog') ORDER BY table_schema, table_name

-- name: rpostgres / dbi #3
-- columns(name:oid): count:20
SELECT COUNT(*) FROM (SELECT table_schema, table_name FROM INFORMATION_SCHEMA.tables WHERE (table_schema = ANY(current_schemas(true)) AND table_name = 'weather')) t

-- name: rpostgres / dbi #4
-- columns(name:oid): column_name:19
SELECT column_name FROM information_schema.columns WHERE table_schema = (SELECT nspname FROM (SELECT nr, schemas[nr] AS nspname FROM (SELECT *, generate_subscripts(schemas, 1) AS nr FROM (SELECT current_schemas(true) AS schemas) t) tt WHERE schemas[nr] <> 'pg_catalog') ttt INNER JOIN (SELECT table_schema FROM INFORMATION_SCHEMA.tables WHERE table_name = 'weather') x ON x.table_schema = nspname ORDER BY nr LIMIT 1) AND table_name = 'weather' ORDER BY ordinal_position

-- name: go / pgx load type #1
-- columns(name:oid): oid:26, typname:19, typtype:18, typbasetype:26, typelem:26, typarray:26, typrelid:26
select oid, typname, typtype, typbasetype, typelem, typarray, typrelid from pg_type where oid = 'text'::regtype

-- name: go / pgx load type #2
-- columns(name:oid): typtype:25, typname:19, typelem:26, typrelid:26, typbasetype:26, rngsubtype:26
SELECT t.typtype::text, t.typname, t.typelem, t.typrelid, t.typbasetype, r.rngsubtype FROM pg_type t LEFT JOIN pg_range r ON r.rngtypid = t.oid WHERE t.oid = 23

-- name: go / pgx load type #3
-- columns(name:oid): attname:19, atttypid:26
select attname, atttypid from pg_attribute where attrelid = @oid:public.weather@ and not attisdropped and attnum > 0 order by attnum

-- name: go / pgx load type #4
-- columns(name:oid): typname:19, nspname:19, oid:26, typtype:25, depth:23, visible:16
WITH RECURSIVE
dependencies(oid, type_oid, depth) AS (
  SELECT x.oid, x.oid, 0 FROM (SELECT unnest(ARRAY[23, 1007]::oid[]) AS oid) x
  UNION ALL
  SELECT d.oid, t.typelem, d.depth + 1 FROM dependencies d JOIN pg_type t ON t.oid = d.type_oid WHERE t.typelem <> 0 AND d.depth < 5
)
SELECT t.typname, n.nspname, t.oid, t.typtype::text, MAX(d.depth) AS depth, to_regtype(t.typname)::oid = t.oid AS visible
FROM dependencies d JOIN pg_type t ON t.oid = d.type_oid JOIN pg_namespace n ON n.oid = t.typnamespace
GROUP BY t.typname, n.nspname, t.oid, t.typtype ORDER BY depth DESC, t.typname

-- name: go / lib pq #1
-- columns(name:oid): oid:26, typname:19
SELECT oid, typname FROM pg_type WHERE typname = 'numeric'

-- name: rust / tokio-postgres typeinfo #1
-- columns(name:oid): typname:19, typtype:18, typelem:26, rngsubtype:26, typbasetype:26, nspname:19, typrelid:26
SELECT t.typname, t.typtype, t.typelem, r.rngsubtype, t.typbasetype, n.nspname, t.typrelid
FROM pg_catalog.pg_type t
LEFT OUTER JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
INNER JOIN pg_catalog.pg_namespace n ON t.typnamespace = n.oid
WHERE t.oid = 3904

-- name: rust / tokio-postgres typeinfo #2
-- columns(name:oid): enumlabel:19
SELECT enumlabel FROM pg_catalog.pg_enum WHERE enumtypid = 25 ORDER BY enumsortorder

-- name: rust / tokio-postgres typeinfo #3
-- columns(name:oid): attname:19, atttypid:26
SELECT attname, atttypid FROM pg_catalog.pg_attribute WHERE attrelid = @oid:public.weather@ AND NOT attisdropped AND attnum > 0 ORDER BY attnum

-- name: rust / sqlx #1
-- columns(name:oid): oid:26
SELECT oid FROM pg_catalog.pg_type WHERE typname ILIKE 'int4'

-- name: rust / sqlx #2
-- columns(name:oid): typname:19, typtype:18, typcategory:18, typrelid:26, typelem:26, typbasetype:26
SELECT typname, typtype, typcategory, typrelid, typelem, typbasetype FROM pg_catalog.pg_type WHERE oid = 25

-- name: rust / sqlx #3
-- columns(name:oid): ?column?:16
SELECT TRUE OR pg_attribute.attnotnull FROM (VALUES (@oid:public.weather@::int4, 1::int2, 0::int4)) AS col(attrelid, attnum, idx) LEFT JOIN pg_catalog.pg_attribute ON NOT pg_attribute.attisdropped AND pg_attribute.attrelid = col.attrelid::oid AND pg_attribute.attnum = col.attnum ORDER BY col.idx

-- name: rust / sqlx #4
-- columns(name:oid): rngsubtype:26
SELECT rngsubtype FROM pg_catalog.pg_range WHERE rngtypid = 3904

-- name: node / postgres.js #1
-- columns(name:oid): oid:26, typarray:26
select b.oid, b.typarray from pg_catalog.pg_type a left join pg_catalog.pg_type b on b.oid = a.typelem where a.typcategory = 'A' group by b.oid, b.typarray order by b.oid

-- name: asyncpg / typeinfo #1
-- columns(name:oid): oid:26, ns:19, name:19, kind:18, basetype:26, elemtype:26, elemdelim:18, range_subtype:26, attrtypoids:1028, attrnames:1009, depth:23, basetype_name:25, elemtype_name:25, range_subtype_name:25
WITH RECURSIVE typeinfo_tree(oid, ns, name, kind, basetype, elemtype, elemdelim, range_subtype, attrtypoids, attrnames, depth)
AS (
    SELECT ti.oid, ti.ns, ti.name, ti.kind, ti.basetype, ti.elemtype, ti.elemdelim, ti.range_subtype, ti.attrtypoids, ti.attrnames, 0
    FROM (SELECT t.oid AS oid, ns.nspname AS ns, t.typname AS name, t.typtype AS kind,
          (CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE NULL END) AS basetype,
          t.typelem AS elemtype, elem_t.typdelim AS elemdelim, range_t.rngsubtype AS range_subtype,
          (CASE WHEN t.typtype = 'c' THEN (SELECT array_agg(ia.atttypid ORDER BY ia.attnum) FROM pg_attribute ia INNER JOIN pg_class c ON (ia.attrelid = c.oid) WHERE ia.attnum > 0 AND NOT ia.attisdropped AND c.reltype = t.oid) ELSE NULL END) AS attrtypoids,
          (CASE WHEN t.typtype = 'c' THEN (SELECT array_agg(ia.attname::text ORDER BY ia.attnum) FROM pg_attribute ia INNER JOIN pg_class c ON (ia.attrelid = c.oid) WHERE ia.attnum > 0 AND NOT ia.attisdropped AND c.reltype = t.oid) ELSE NULL END) AS attrnames
        FROM pg_catalog.pg_type AS t
            INNER JOIN pg_catalog.pg_namespace ns ON (ns.oid = t.typnamespace)
            LEFT JOIN pg_type elem_t ON (t.typlen = -1 AND t.typelem != 0 AND t.typelem = elem_t.oid)
            LEFT JOIN pg_range range_t ON (t.oid = range_t.rngtypid)) AS ti
    WHERE ti.oid = any('{1034,2206}'::oid[])
    UNION ALL
    SELECT ti.oid, ti.ns, ti.name, ti.kind, ti.basetype, ti.elemtype, ti.elemdelim, ti.range_subtype, ti.attrtypoids, ti.attrnames, tt.depth + 1
    FROM (SELECT t.oid AS oid, ns.nspname AS ns, t.typname AS name, t.typtype AS kind,
          (CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE NULL END) AS basetype,
          t.typelem AS elemtype, elem_t.typdelim AS elemdelim, range_t.rngsubtype AS range_subtype,
          NULL::oid[] AS attrtypoids, NULL::text[] AS attrnames
        FROM pg_catalog.pg_type AS t
            INNER JOIN pg_catalog.pg_namespace ns ON (ns.oid = t.typnamespace)
            LEFT JOIN pg_type elem_t ON (t.typlen = -1 AND t.typelem != 0 AND t.typelem = elem_t.oid)
            LEFT JOIN pg_range range_t ON (t.oid = range_t.rngtypid)) ti, typeinfo_tree tt
    WHERE (tt.elemtype IS NOT NULL AND ti.oid = tt.elemtype) OR (tt.attrtypoids IS NOT NULL AND ti.oid = any(tt.attrtypoids)) OR (tt.range_subtype IS NOT NULL AND ti.oid = tt.range_subtype) OR (tt.basetype IS NOT NULL AND ti.oid = tt.basetype)
)
SELECT DISTINCT *, basetype::regtype::text AS basetype_name, elemtype::regtype::text AS elemtype_name, range_subtype::regtype::text AS range_subtype_name
FROM typeinfo_tree
ORDER BY depth DESC

-- name: dbeaver / metadata #1
-- columns(name:oid): oid:26, oid:26, typname:19, typnamespace:26, typowner:26, typlen:21, typbyval:16, typtype:18, typcategory:18, typispreferred:16, typisdefined:16, typdelim:18, typrelid:26, typsubscript:24, typelem:26, typarray:26, typinput:24, typoutput:24, typreceive:24, typsend:24, typmodin:24, typmodout:24, typanalyze:24, typalign:18, typstorage:18, typnotnull:16, typbasetype:26, typtypmod:23, typndims:23, typcollation:26, typdefaultbin:194, typdefault:25, typacl:1034, relkind:18, base_type_name:25, description:25
SELECT t.oid,t.*,c.relkind,format_type(nullif(t.typbasetype, 0), t.typtypmod) as base_type_name, d.description
FROM pg_catalog.pg_type t
LEFT OUTER JOIN pg_catalog.pg_type et ON et.oid=t.typelem
LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid=t.typrelid
LEFT OUTER JOIN pg_catalog.pg_description d ON t.oid=d.objoid
WHERE t.typname IS NOT NULL AND (c.relkind IS NULL OR c.relkind = 'c') AND (et.typcategory IS NULL OR et.typcategory <> 'C')

-- name: dbeaver / metadata #2
-- columns(name:oid): oid:26, oid:26, nspname:19, nspowner:26, nspacl:1034, description:25
SELECT n.oid,n.*,d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=n.oid AND d.objsubid=0 AND d.classoid='pg_namespace'::regclass ORDER BY nspname

-- name: dbeaver / metadata #3
-- columns(name:oid): oid:26, oid:26, relname:19, relnamespace:26, reltype:26, reloftype:26, relowner:26, relam:26, relfilenode:26, reltablespace:26, relpages:23, reltuples:700, relallvisible:23, reltoastrelid:26, relhasindex:16, relisshared:16, relpersistence:18, relkind:18, relnatts:21, relchecks:21, relhasrules:16, relhastriggers:16, relhassubclass:16, relrowsecurity:16, relforcerowsecurity:16, relispopulated:16, relreplident:18, relispartition:16, relrewrite:26, relfrozenxid:28, relminmxid:28, relacl:1034, reloptions:1009, relpartbound:194, description:25, partition_expr:25, partition_key:25
SELECT c.oid,c.*,d.description,pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr,  pg_catalog.pg_get_partkeydef(c.oid) as partition_key FROM pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_class'::regclass WHERE c.relnamespace=@oid:schema:lake@ AND c.relkind not in ('i','I','c')

-- name: dbeaver / metadata #4
-- columns(name:oid): oid:26, total_rel_size:20, rel_size:20
select c.oid,pg_catalog.pg_total_relation_size(c.oid) as total_rel_size,pg_catalog.pg_relation_size(c.oid) as rel_size FROM pg_class c WHERE c.relnamespace=@oid:schema:lake@

-- name: dbeaver / sessions #1
-- columns(name:oid): datid:26, datname:19, pid:23, leader_pid:23, usesysid:26, usename:19, application_name:25, client_addr:869, client_hostname:25, client_port:23, backend_start:1184, xact_start:1184, query_start:1184, state_change:1184, wait_event_type:25, wait_event:25, state:25, backend_xid:28, backend_xmin:28, query_id:20, query:25, backend_type:25
SELECT sa.* FROM pg_catalog.pg_stat_activity sa

-- name: dbeaver / sessions #2
-- columns(name:oid): blocked_pid:23, blocked_user:19, blocking_pid:23
select bl.pid as blocked_pid, a.usename as blocked_user, kl.pid as blocking_pid from pg_catalog.pg_locks bl join pg_catalog.pg_stat_activity a on a.pid = bl.pid join pg_catalog.pg_locks kl on kl.transactionid = bl.transactionid and kl.pid != bl.pid where not bl.granted

-- name: dbeaver / roles #1
-- columns(name:oid): oid:26, rolname:19, rolsuper:16, rolinherit:16, rolcreaterole:16, rolcreatedb:16, rolcanlogin:16, rolreplication:16, rolconnlimit:23, rolpassword:25, rolvaliduntil:1184, rolbypassrls:16, rolconfig:1009, oid:26, description:25
SELECT a.oid,a.*,pd.description FROM pg_catalog.pg_roles a left join pg_catalog.pg_shdescription pd on a.oid = pd.objoid ORDER BY a.rolname

-- name: dbeaver / roles #2
-- columns(name:oid): grantor:19, grantee:19, table_catalog:19, table_schema:19, table_name:19, privilege_type:1043, is_grantable:1043, with_hierarchy:1043
SELECT * FROM information_schema.table_privileges WHERE table_schema='public' AND table_name='weather'

-- name: generic / system columns #1
-- columns(name:oid): tableoid:26, xmin:28, cmin:29, xmax:28, cmax:29, ctid:27
SELECT tableoid, xmin, cmin, xmax, cmax, ctid FROM pg_catalog.pg_class LIMIT 1

-- name: generic / system columns #2
-- columns(name:oid): tableoid:2205, oid:26, nspname:19, nspowner:26, nspacl:1034
SELECT tableoid::regclass, * FROM pg_catalog.pg_namespace n

-- name: generic / system columns #3
-- columns(name:oid): tableoid:26, ctid:27, xmin:28
SELECT w.tableoid, w.ctid, w.xmin FROM public.weather w LIMIT 1

-- name: generic / system columns #4
-- columns(name:oid): attname:19, attnum:21, atttypid:26
SELECT a.attname, a.attnum, a.atttypid FROM pg_attribute a WHERE a.attrelid = 'public.weather'::regclass AND a.attnum < 0 ORDER BY a.attnum
