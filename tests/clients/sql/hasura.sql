-- What Hasura asks to track the tables of a source, by the shape of its statements.

-- name: hasura / init #1
-- columns(name:oid): current_setting:23
SELECT current_setting('server_version_num')::integer

-- name: hasura / init #2
-- columns(name:oid): exists:16
SELECT EXISTS ( SELECT 1 FROM information_schema.schemata WHERE schema_name = 'hdb_catalog')

-- name: hasura / init #3
-- columns(name:oid): exists:16
SELECT EXISTS ( SELECT 1 FROM pg_catalog.pg_available_extensions WHERE name = 'pgcrypto')

-- name: hasura / init #4
-- columns(name:oid): exists:16
SELECT EXISTS ( SELECT 1 FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE p.proname = 'gen_random_uuid' AND n.nspname = 'pg_catalog')

-- name: hasura / tables #1
-- columns(name:oid): table_schema:19, table_name:19, info:114
SELECT
  "table".table_schema,
  "table".table_name,
  jsonb_build_object(
    'oid', "table".oid :: integer,
    'columns', coalesce(columns.info, '[]'),
    'primary_key', primary_key.info,
    'view_info', CASE WHEN "table".relkind IN ('v', 'm') THEN jsonb_build_object(
      'is_updatable', ((pg_catalog.pg_relation_is_updatable("table".oid, true) & 4) = 4)
    ) END,
    'description', description.description,
    'extra_table_metadata', '[]'::json
  )::json AS info
FROM
  ( SELECT "table".oid, "table".relkind, "table".relname AS "table_name", "schema".nspname AS "table_schema"
      FROM pg_catalog.pg_class "table"
      JOIN pg_catalog.pg_namespace "schema" ON schema.oid = "table".relnamespace
  ) "table"
LEFT JOIN pg_catalog.pg_description description
  ON  description.classoid = 'pg_catalog.pg_class'::regclass
  AND description.objoid = "table".oid
  AND description.objsubid = 0
LEFT JOIN LATERAL
  ( SELECT jsonb_agg(jsonb_build_object(
      'name', "column".attname,
      'position', "column".attnum,
      'type', coalesce(base_type.typname, "type".typname),
      'is_nullable', NOT "column".attnotnull,
      'description', pg_catalog.col_description("table".oid, "column".attnum)
    )) AS info
    FROM pg_catalog.pg_attribute "column"
    INNER JOIN
    (
      SELECT attrelid, attnum, attname, CASE WHEN attidentity_exists THEN attidentity::text ELSE ''::text END as attidentity
      FROM pg_catalog.pg_attribute
      CROSS JOIN (SELECT current_setting('server_version_num')::int >= 100000) AS attidentity(attidentity_exists)
    ) AS identitypolyfill
      ON  identitypolyfill.attrelid = "column".attrelid
      AND identitypolyfill.attnum = "column".attnum
      AND identitypolyfill.attname = "column".attname
    LEFT JOIN pg_catalog.pg_type "type" ON "type".oid = "column".atttypid
    LEFT JOIN pg_catalog.pg_type base_type ON "type".typtype = 'd' AND base_type.oid = "type".typbasetype
    WHERE "column".attrelid = "table".oid AND "column".attnum > 0 AND NOT "column".attisdropped
  ) columns ON true
LEFT JOIN LATERAL
  ( SELECT jsonb_build_object('constraint', jsonb_build_object('name', class.relname, 'oid', class.oid :: integer), 'columns', coalesce(columns.info, '[]')) AS info
    FROM pg_catalog.pg_index index
    JOIN pg_catalog.pg_class class ON class.oid = index.indexrelid
    LEFT JOIN LATERAL
      ( SELECT jsonb_agg("column".attname) AS info FROM pg_catalog.pg_attribute "column"
        WHERE "column".attrelid = "table".oid AND "column".attnum = ANY (index.indkey)
      ) AS columns ON true
    WHERE index.indrelid = "table".oid AND index.indisprimary
  ) primary_key ON true
WHERE "table".relkind IN ('r', 't', 'v', 'm', 'f', 'p')
  AND "table".table_schema NOT LIKE 'pg_%'
  AND "table".table_schema NOT IN ('information_schema', 'hdb_catalog', 'hdb_lib', '_timescaledb_internal');

-- name: hasura / tables #2
-- columns(name:oid): table_schema:25, table_name:25, constraint_name:25, constraint_oid:23, ref_table_table_schema:25, ref_table:25, columns:114, ref_columns:114
SELECT q.table_schema :: text, q.table_name :: text, q.constraint_name :: text, min(q.constraint_oid) :: integer as constraint_oid,
   min(q.ref_table_table_schema) :: text as ref_table_table_schema, min(q.ref_table) :: text as ref_table, json_agg(ac.attname) as columns, json_agg(afc.attname) as ref_columns
FROM
   (SELECT ctn.nspname AS table_schema, ct.relname AS table_name, r.conrelid AS table_id, r.conname as constraint_name, r.oid as constraint_oid,
       cftn.nspname AS ref_table_table_schema, cft.relname as ref_table, r.confrelid as ref_table_id, UNNEST (r.conkey) AS column_id, UNNEST (r.confkey) AS ref_column_id
    FROM pg_catalog.pg_constraint r
        JOIN pg_catalog.pg_class ct ON r.conrelid = ct.oid
        JOIN pg_catalog.pg_namespace ctn ON ct.relnamespace = ctn.oid
        JOIN pg_catalog.pg_class cft ON r.confrelid = cft.oid
        JOIN pg_catalog.pg_namespace cftn ON cft.relnamespace = cftn.oid
    WHERE r.contype = 'f'
   ) q
   JOIN pg_catalog.pg_attribute ac ON q.column_id = ac.attnum AND q.table_id = ac.attrelid
   JOIN pg_catalog.pg_attribute afc ON q.ref_column_id = afc.attnum AND q.ref_table_id = afc.attrelid
GROUP BY q.table_schema, q.table_name, q.constraint_name

-- name: hasura / tables #3
-- columns(name:oid): table_schema:19, table_name:19, uniques:20
SELECT
  n.nspname AS table_schema, c.relname AS table_name,
  (SELECT count(*) FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisunique) AS uniques
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = ANY (ARRAY['r', 'v', 'm', 'f', 'p']::"char"[]) AND n.nspname = ANY (ARRAY['public', 'lake'])

-- name: hasura / functions #1
-- columns(name:oid): function_name:25, function_schema:25, description:25, has_variadic:16, function_type:25, function_definition:25, return_type_schema:25, return_type_name:25, return_type_type:25, returns_set:16, input_arg_types:114, input_arg_names:114, default_args:21, function_oid:23
SELECT p.proname::text AS function_name, pn.nspname::text AS function_schema, pd.description,
  CASE WHEN (p.provariadic = (0) :: oid) THEN false ELSE true END AS has_variadic,
  CASE WHEN ((p.provolatile) :: text = ('i' :: character(1)) :: text) THEN 'IMMUTABLE' :: text
       WHEN ((p.provolatile) :: text = ('s' :: character(1)) :: text) THEN 'STABLE' :: text
       WHEN ((p.provolatile) :: text = ('v' :: character(1)) :: text) THEN 'VOLATILE' :: text
       ELSE NULL :: text END AS function_type,
  pg_get_functiondef(p.oid) AS function_definition, rtn.nspname::text as return_type_schema, rt.typname::text as return_type_name, rt.typtype::text as return_type_type,
  p.proretset AS returns_set,
  ( SELECT COALESCE(json_agg(q.type_name), '[]') FROM
      ( SELECT pt.typname AS type_name, pat.ordinality FROM unnest(COALESCE(p.proallargtypes, (p.proargtypes) :: oid [])) WITH ORDINALITY pat(oid, ordinality)
          LEFT JOIN pg_type pt ON ((pt.oid = pat.oid)) ORDER BY pat.ordinality ASC ) q ) AS input_arg_types,
  to_json(COALESCE(p.proargnames, ARRAY [] :: text [])) AS input_arg_names,
  p.pronargdefaults AS default_args, p.oid::integer AS function_oid
FROM pg_proc p
  JOIN pg_namespace pn ON (pn.oid = p.pronamespace)
  JOIN pg_type rt ON (rt.oid = p.prorettype)
  JOIN pg_namespace rtn ON (rtn.oid = rt.typnamespace)
  LEFT JOIN pg_description pd ON p.oid = pd.objoid
WHERE pn.nspname :: text NOT LIKE 'pg_%' AND pn.nspname NOT IN ('information_schema', 'hdb_catalog')
  AND (NOT EXISTS (SELECT 1 FROM pg_aggregate WHERE (pg_aggregate.aggfnoid) :: oid = p.oid))

-- name: hasura / query #1
-- columns(name:oid): root:114
SELECT coalesce(json_agg("root"), '[]') AS "root"
FROM (SELECT json_build_object('station', "_root.base"."station", 'temp', "_root.base"."temp") AS "root"
      FROM (SELECT * FROM "public"."weather" WHERE ((("public"."weather"."station") = (('S1')::text)) OR ((("public"."weather"."station") IS NULL) AND ((('S1')::text) IS NULL))) LIMIT 10) AS "_root.base") AS "_root"
