-- What psqlODBC asks for its catalog functions, by the shape of its statements.

-- name: psqlodbc / connect #1
-- columns(name:oid): transaction_isolation:25
SET DateStyle = 'ISO';SET extra_float_digits = 2;show transaction_isolation

-- name: psqlodbc / connect #2
-- columns(name:oid): oid:26, typbasetype:26
select oid, typbasetype from pg_type where typname = 'lo'

-- name: psqlodbc / tables #1
-- columns(name:oid): relname:19, nspname:19, relkind:18
select relname, nspname, relkind from pg_catalog.pg_class c, pg_catalog.pg_namespace n where relkind in ('r', 'v', 'm', 'f', 'p') and nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'pg_temp_1') and n.oid = relnamespace order by nspname, relname

-- name: psqlodbc / tables #2
-- columns(name:oid): relname:19, nspname:19, relkind:18, description:25
select c.relname, n.nspname, c.relkind, d.description from pg_catalog.pg_class c inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace left join pg_catalog.pg_description d on d.objoid = c.oid and d.objsubid = 0 where c.relname like 'weather' and n.nspname like 'public'

-- name: psqlodbc / columns #1
-- columns(name:oid): nspname:19, relname:19, attname:19, atttypid:26, typname:19, attnum:21, attlen:21, atttypmod:23, attnotnull:16, relhasrules:16, relkind:18, oid:26, pg_get_expr:25, case:26, typtypmod:23, ?column?:23, attidentity:18, relhassubclass:16
select n.nspname, c.relname, a.attname, a.atttypid, t.typname, a.attnum, a.attlen, a.atttypmod, a.attnotnull, c.relhasrules, c.relkind, c.oid, pg_get_expr(d.adbin, d.adrelid), case t.typtype when 'd' then t.typbasetype else 0 end, t.typtypmod, 0, attidentity, c.relhassubclass from (((pg_catalog.pg_class c inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace and c.relname = E'weather' and n.nspname = E'public') inner join pg_catalog.pg_attribute a on (not a.attisdropped) and a.attnum > 0 and a.attrelid = c.oid) inner join pg_catalog.pg_type t on t.oid = a.atttypid) left outer join pg_attrdef d on a.atthasdef and d.adrelid = a.attrelid and d.adnum = a.attnum order by n.nspname, c.relname, attnum

-- name: psqlodbc / keys #1
-- columns(name:oid): attname:19, attnum:21, relname:19, nspname:19, relname:19
select ta.attname, ia.attnum, ic.relname, n.nspname, tc.relname from pg_catalog.pg_attribute ta, pg_catalog.pg_attribute ia, pg_catalog.pg_class tc, pg_catalog.pg_index i, pg_catalog.pg_namespace n, pg_catalog.pg_class ic where tc.relname = E'weather' AND n.nspname = E'public' AND tc.oid = i.indrelid AND n.oid = tc.relnamespace AND i.indisprimary = 't' AND ia.attrelid = i.indexrelid AND ta.attrelid = i.indrelid AND ta.attnum = i.indkey[ia.attnum-1] AND (NOT ta.attisdropped) AND (NOT ia.attisdropped) AND ic.oid = i.indexrelid order by ia.attnum

-- name: psqlodbc / keys #2
-- columns(name:oid): PKTABLE_CAT:19, PKTABLE_SCHEM:19, PKTABLE_NAME:19, PKCOLUMN_NAME:19, FKTABLE_CAT:19, FKTABLE_SCHEM:19, FKTABLE_NAME:19, FKCOLUMN_NAME:19, KEY_SEQ:21, UPDATE_RULE:21, DELETE_RULE:21, FK_NAME:19, PK_NAME:19, DEFERRABILITY:21
select 'lakedb'::name as "PKTABLE_CAT",
	n2.nspname as "PKTABLE_SCHEM",
	c2.relname as "PKTABLE_NAME",
	a2.attname as "PKCOLUMN_NAME",
	'lakedb'::name as "FKTABLE_CAT",
	n1.nspname as "FKTABLE_SCHEM",
	c1.relname as "FKTABLE_NAME",
	a1.attname as "FKCOLUMN_NAME",
	i::int2 as "KEY_SEQ",
	case ref.confupdtype
		when 'c' then 0::int2
		when 'n' then 2::int2
		when 'd' then 4::int2
		when 'r' then 1::int2
		else 3::int2
	end as "UPDATE_RULE",
	case ref.confdeltype
		when 'c' then 0::int2
		when 'n' then 2::int2
		when 'd' then 4::int2
		when 'r' then 1::int2
		else 3::int2
	end as "DELETE_RULE",
	ref.conname as "FK_NAME",
	cn.conname as "PK_NAME",
	case
		when ref.condeferrable then
			case
			when ref.condeferred then 5::int2
			else 6::int2
			end
		else 7::int2
	end as "DEFERRABILITY"
 from
 ((((((( (select cn.oid, conrelid, conkey, confrelid, confkey,
	 generate_series(array_lower(conkey, 1), array_upper(conkey, 1)) as i,
	 confupdtype, confdeltype, conname,
	 condeferrable, condeferred
  from pg_catalog.pg_constraint cn,
	pg_catalog.pg_class c,
	pg_catalog.pg_namespace n
  where contype = 'f'
   and  conrelid = c.oid
   and  relname = E'weather'
   and  n.oid = c.relnamespace
   and  n.nspname = E'public'
 ) ref
 inner join pg_catalog.pg_class c1
  on c1.oid = ref.conrelid)
 inner join pg_catalog.pg_namespace n1
  on  n1.oid = c1.relnamespace)
 inner join pg_catalog.pg_attribute a1
  on  a1.attrelid = c1.oid
  and  a1.attnum = conkey[i])
 inner join pg_catalog.pg_class c2
  on  c2.oid = ref.confrelid)
 inner join pg_catalog.pg_namespace n2
  on  n2.oid = c2.relnamespace)
 inner join pg_catalog.pg_attribute a2
  on  a2.attrelid = c2.oid
  and  a2.attnum = confkey[i])
 left outer join pg_catalog.pg_constraint cn
  on cn.conrelid = ref.confrelid
  and cn.contype = 'p')
  order by ref.oid, ref.i

-- name: psqlodbc / statistics #1
-- columns(name:oid): relname:19, indkey:22, indisunique:16, indisclustered:16, amname:19, relhasrules:16, nspname:19, oid:26, relhasoids:23, indoption:22
select c.relname, i.indkey, i.indisunique, i.indisclustered, a.amname, c.relhasrules, n.nspname, c.oid, d.relhasoids, i.indoption from pg_catalog.pg_index i, pg_catalog.pg_class c, (select oid, relname, relnamespace, 0 as relhasoids from pg_catalog.pg_class) d, pg_catalog.pg_am a, pg_catalog.pg_namespace n where d.relname = E'weather' and n.nspname = E'public' and n.oid = d.relnamespace and d.oid = i.indrelid and i.indexrelid = c.oid and c.relam = a.oid order by i.indisprimary desc, i.indisunique, n.nspname, c.relname

-- name: psqlodbc / statistics #2
-- columns(name:oid): pg_get_indexdef:25, int2:21
select pg_get_indexdef(0, 1, true), 1::int2

-- name: psqlodbc / procedures #1
-- columns(name:oid): procedure_name:19, proargtypes:30, ?column?:16
select proname as PROCEDURE_NAME, proargtypes, atttypid is null from (select proname, proargtypes, null::oid as atttypid from pg_catalog.pg_namespace, pg_catalog.pg_proc where pg_proc.pronamespace = pg_namespace.oid and (not proretset) and nspname like 'public' and has_function_privilege(pg_proc.oid, 'EXECUTE')) p order by 1

-- name: psqlodbc / procedures #2
-- columns(name:oid): PROCEDURE_CAT:25, PROCEDURE_SCHEM:19, PROCEDURE_NAME:19, NUM_INPUT_PARAMS:21, NUM_OUTPUT_PARAMS:21, NUM_RESULT_SETS:21, REMARKS:25, PROCEDURE_TYPE:21
select NULL::text as "PROCEDURE_CAT", nspname as "PROCEDURE_SCHEM", proname as "PROCEDURE_NAME", NULL::int2 as "NUM_INPUT_PARAMS", NULL::int2 as "NUM_OUTPUT_PARAMS", NULL::int2 as "NUM_RESULT_SETS", NULL::text as "REMARKS", case when prorettype = 0 then 1::int2 else 2::int2 end as "PROCEDURE_TYPE" from pg_catalog.pg_namespace, pg_catalog.pg_proc where pg_proc.pronamespace = pg_namespace.oid and nspname like E'public' order by nspname, proname, prorettype

-- name: psqlodbc / privileges #1
-- columns(name:oid): relname:19, usename:19, relacl:1034, nspname:19
select relname, usename, relacl, nspname from pg_catalog.pg_namespace, pg_catalog.pg_class, pg_catalog.pg_user where nspname like 'public' and relname like 'weather' and pg_namespace.oid = relnamespace and relkind in ('r', 'v') and (not (relname ~ '^pg_')) and usesysid = relowner

-- name: psqlodbc / privileges #2
-- columns(name:oid): usename:19, usesysid:26, usesuper:16
select usename, usesysid, usesuper from pg_user

-- name: psqlodbc / cursor #1
-- columns(name:oid): time:1184, station:25, temp:701, humidity:700, pressure:1700, n:23, big:20, ok:16, day:1082, tags:1009
BEGIN;declare "SQL_CUR0x1" cursor with hold for select * from public.weather;fetch 100 in "SQL_CUR0x1"

-- name: psqlodbc / cursor #2
-- columns(name:oid): time:1184, station:25, temp:701, humidity:700, pressure:1700, n:23, big:20, ok:16, day:1082, tags:1009
fetch 100 in "SQL_CUR0x1"

-- name: psqlodbc / cursor #3
-- columns(name:oid):
close "SQL_CUR0x1";commit
