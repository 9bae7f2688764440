-- What pgAdmin 4 asks on connect, for its tree, for its dashboard and for properties, by the shape of its statements.

-- name: pgadmin4 / connect #1
-- columns(name:oid): set_config:25
SET DateStyle=ISO; SET client_min_messages=notice; SELECT set_config('bytea_output','hex',false) FROM pg_show_all_settings() WHERE name = 'bytea_output'; SET client_encoding='UTF8';

-- name: pgadmin4 / connect #2
-- columns(name:oid): version:25
SELECT version()

-- name: pgadmin4 / connect #3
-- columns(name:oid): did:26, datname:19, datallowconn:16, serverencoding:19, cancreate:16, datistemplate:16
SELECT
    db.oid as did, db.datname, db.datallowconn,
    pg_encoding_to_char(db.encoding) AS serverencoding,
    has_database_privilege(db.oid, 'CREATE') as cancreate,
    datistemplate
FROM
    pg_catalog.pg_database db
WHERE db.datname = current_database()

-- name: pgadmin4 / connect #4
-- columns(name:oid): gss_authenticated:16, encrypted:16
SELECT
    gss_authenticated, encrypted
FROM
    pg_catalog.pg_stat_gssapi
WHERE pid = pg_backend_pid()

-- name: pgadmin4 / connect #5
-- columns(name:oid): id:26, name:19, is_superuser:16, can_create_role:16, can_create_db:16, can_signal_backend:16
SELECT
    roles.oid as id, roles.rolname as name,
    roles.rolsuper as is_superuser,
    CASE WHEN roles.rolsuper THEN true ELSE roles.rolcreaterole END as can_create_role,
    CASE WHEN roles.rolsuper THEN true ELSE roles.rolcreatedb END as can_create_db,
    CASE WHEN 'pg_signal_backend'=ANY(ARRAY(WITH RECURSIVE cte AS (
    SELECT pg_roles.oid,pg_roles.rolname FROM pg_roles
        WHERE pg_roles.oid = roles.oid
    UNION ALL
    SELECT m.roleid, pgr.rolname FROM cte cte_1
        JOIN pg_auth_members m ON m.member = cte_1.oid
        JOIN pg_roles pgr ON pgr.oid = m.roleid)
    SELECT rolname  FROM cte)) THEN True
    ELSE False END as can_signal_backend
FROM
    pg_catalog.pg_roles as roles
WHERE
    rolname = current_user

-- name: pgadmin4 / connect #6
-- columns(name:oid): usesuper:16
SELECT usesuper FROM pg_catalog.pg_user WHERE usename=current_user

-- name: pgadmin4 / connect #7
-- columns(name:oid): case:25
SELECT CASE WHEN count(*) > 0 THEN 'pg' END FROM pg_proc WHERE proname LIKE '%bdr%'

-- name: pgadmin4 / connect #8
-- columns(name:oid): has_table_privilege:16
SELECT has_table_privilege('pg_authid', 'select')

-- name: pgadmin4 / connect #9
-- columns(name:oid): search_path:25
SHOW search_path

-- name: pgadmin4 / connect #10
-- columns(name:oid): inrecovery:16, isreplaypaused:16
SELECT CASE WHEN usesuper
       THEN pg_catalog.pg_is_in_recovery()
       ELSE FALSE
       END as inrecovery,
       CASE WHEN usesuper AND pg_is_in_recovery()
       THEN pg_is_wal_replay_paused()
       ELSE FALSE
       END as isreplaypaused
FROM pg_catalog.pg_user WHERE usename=current_user

-- name: pgadmin4 / connect #11
-- columns(name:oid): count:20
SELECT count(*) FROM pg_stat_replication

-- name: pgadmin4 / connect #12
-- columns(name:oid): current_setting:23
SELECT DISTINCT pg_catalog.current_setting('server_version_num')::int

-- name: pgadmin4 / nodes #1
-- columns(name:oid): did:26, name:19, spcname:19, datallowconn:16, is_template:16, cancreate:16, owner:26, description:25
SELECT
    db.oid as did, db.datname as name, ta.spcname as spcname, db.datallowconn,
    db.datistemplate AS is_template,
    pg_catalog.has_database_privilege(db.oid, 'CREATE') as cancreate, datdba as owner,
    descr.description
FROM
    pg_catalog.pg_database db
    LEFT OUTER JOIN pg_catalog.pg_tablespace ta ON db.dattablespace = ta.oid
    LEFT OUTER JOIN pg_catalog.pg_shdescription descr ON (
        db.oid=descr.objoid AND descr.classoid='pg_database'::regclass
    )
WHERE db.oid > '16383'::OID OR db.datname IN ('postgres', 'edb')
ORDER BY datname

-- name: pgadmin4 / nodes #2
-- columns(name:oid): oid:26, name:19, can_create:16, has_usage:16, description:25
SELECT
    nsp.oid,
    nsp.nspname as name,
    pg_catalog.has_schema_privilege(nsp.oid, 'CREATE') as can_create,
    pg_catalog.has_schema_privilege(nsp.oid, 'USAGE') as has_usage,
    des.description
FROM
    pg_catalog.pg_namespace nsp
    LEFT OUTER JOIN pg_catalog.pg_description des ON
        (des.objoid=nsp.oid AND des.classoid='pg_namespace'::regclass)
WHERE
    nspname NOT LIKE 'pg\_%' AND
    NOT (
(nsp.nspname = 'pg_catalog' AND EXISTS
        (SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'pg_class' AND
            relnamespace = nsp.oid LIMIT 1)) OR
    (nsp.nspname = 'pgagent' AND EXISTS
        (SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'pga_job' AND
            relnamespace = nsp.oid LIMIT 1)) OR
    (nsp.nspname = 'information_schema' AND EXISTS
        (SELECT 1 FROM pg_catalog.pg_class WHERE relname = 'tables' AND
            relnamespace = nsp.oid LIMIT 1))
    )
ORDER BY nspname

-- name: pgadmin4 / nodes #3
-- columns(name:oid): oid:26, name:19, triggercount:20, has_enable_triggers:20, is_partitioned:16, is_inherits:20, is_inherited:20, description:25
SELECT rel.oid, rel.relname AS name,
    (SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid=rel.oid AND tgisinternal = FALSE) AS triggercount,
    (SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid=rel.oid AND tgisinternal = FALSE AND tgenabled = 'O') AS has_enable_triggers,
    (CASE WHEN rel.relkind = 'p' THEN true ELSE false END) AS is_partitioned,
    (SELECT count(1) FROM pg_catalog.pg_inherits WHERE inhrelid=rel.oid LIMIT 1) as is_inherits,
    (SELECT count(1) FROM pg_catalog.pg_inherits WHERE inhparent=rel.oid LIMIT 1) as is_inherited,
    des.description
FROM pg_catalog.pg_class rel
    LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid=rel.oid AND des.objsubid=0 AND des.classoid='pg_class'::regclass)
WHERE rel.relkind IN ('r','s','t','p') AND rel.relnamespace = @oid:schema:public@::oid
    AND NOT rel.relispartition
ORDER BY rel.relname;

-- name: pgadmin4 / nodes #4
-- columns(name:oid): name:19, oid:21, datatype:25, displaytypname:25, not_null:16, has_default_val:16, description:25, seqtypid:26
SELECT DISTINCT att.attname as name, att.attnum as OID, pg_catalog.format_type(ty.oid,NULL) AS datatype,
    pg_catalog.format_type(ty.oid,att.atttypmod) AS displaytypname,
    att.attnotnull as not_null, att.atthasdef as has_default_val, des.description, seq.seqtypid
FROM pg_catalog.pg_attribute att
    JOIN pg_catalog.pg_type ty ON ty.oid=atttypid
    JOIN pg_catalog.pg_namespace tn ON tn.oid=ty.typnamespace
    JOIN pg_catalog.pg_class cl ON cl.oid=att.attrelid
    JOIN pg_catalog.pg_namespace na ON na.oid=cl.relnamespace
    LEFT OUTER JOIN pg_catalog.pg_type et ON et.oid=ty.typelem
    LEFT OUTER JOIN pg_catalog.pg_attrdef def ON adrelid=att.attrelid AND adnum=att.attnum
    LEFT OUTER JOIN (pg_catalog.pg_depend JOIN pg_catalog.pg_class cs ON classid='pg_class'::regclass AND objid=cs.oid AND cs.relkind='S') ON refobjid=att.attrelid AND refobjsubid=att.attnum
    LEFT OUTER JOIN pg_catalog.pg_namespace ns ON ns.oid=cs.relnamespace
    LEFT OUTER JOIN pg_catalog.pg_index pi ON pi.indrelid=att.attrelid AND indisprimary
    LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid=att.attrelid AND des.objsubid=att.attnum AND des.classoid='pg_class'::regclass)
    LEFT OUTER JOIN pg_catalog.pg_sequence seq ON cs.oid=seq.seqrelid
WHERE
    att.attrelid = @oid:public.weather@::oid
    AND att.attnum > 0
    AND att.attisdropped IS FALSE
ORDER BY att.attnum

-- name: pgadmin4 / nodes #5
-- columns(name:oid): oid:26, name:19, is_inherited:16, description:25
SELECT DISTINCT ON(cls.relname) cls.oid, cls.relname as name,
(SELECT (CASE WHEN count(i.inhrelid) > 0 THEN true ELSE false END) FROM pg_inherits i WHERE i.inhrelid = cls.oid) as is_inherited,
desp.description
FROM pg_catalog.pg_index idx
    JOIN pg_catalog.pg_class cls ON cls.oid=indexrelid
    JOIN pg_catalog.pg_class tab ON tab.oid=indrelid
    LEFT OUTER JOIN pg_catalog.pg_tablespace ta on ta.oid=cls.reltablespace
    JOIN pg_catalog.pg_namespace n ON n.oid=tab.relnamespace
    JOIN pg_catalog.pg_am am ON am.oid=cls.relam
    LEFT JOIN pg_catalog.pg_depend dep ON (dep.classid = cls.tableoid AND dep.objid = cls.oid AND dep.refobjsubid = '0' AND dep.refclassid=(SELECT oid FROM pg_catalog.pg_class WHERE relname='pg_constraint') AND dep.deptype='i')
    LEFT OUTER JOIN pg_catalog.pg_constraint con ON (con.tableoid = dep.refclassid AND con.oid = dep.refobjid)
    LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid=cls.oid AND des.classoid='pg_class'::regclass)
    LEFT OUTER JOIN pg_catalog.pg_description desp ON (desp.objoid=con.oid AND desp.objsubid = 0 AND desp.classoid='pg_constraint'::regclass)
WHERE indrelid = @oid:public.weather@::OID
    AND conname is NULL
    ORDER BY cls.relname

-- name: pgadmin4 / nodes #6
-- columns(name:oid): oid:26, name:19, col_count:21, comment:25
SELECT cls.oid, cls.relname as name, indnkeyatts as col_count,
CASE contype WHEN 'p' THEN desp.description WHEN 'u' THEN desp.description WHEN 'x' THEN desp.description ELSE des.description END AS comment
FROM pg_catalog.pg_index idx
JOIN pg_catalog.pg_class cls ON cls.oid=indexrelid
LEFT JOIN pg_catalog.pg_depend dep ON (dep.classid = cls.tableoid AND dep.objid = cls.oid AND dep.refobjsubid = '0' AND dep.refclassid=(SELECT oid FROM pg_catalog.pg_class WHERE relname='pg_constraint') AND dep.deptype='i')
LEFT OUTER JOIN pg_catalog.pg_constraint con ON (con.tableoid = dep.refclassid AND con.oid = dep.refobjid)
LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid=cls.oid AND des.classoid='pg_class'::regclass)
LEFT OUTER JOIN pg_catalog.pg_description desp ON (desp.objoid=con.oid AND desp.objsubid = 0 AND desp.classoid='pg_constraint'::regclass)
WHERE indrelid = @oid:public.weather@::oid
AND contype='p'
ORDER BY cls.relname

-- name: pgadmin4 / nodes #7
-- columns(name:oid): oid:26, name:19, convalidated:16, comment:25
SELECT ct.oid, conname as name, NOT convalidated as convalidated, description as comment
FROM pg_catalog.pg_constraint ct
JOIN pg_catalog.pg_class cl ON cl.oid=conrelid
JOIN pg_catalog.pg_namespace nl ON nl.oid=cl.relnamespace
JOIN pg_catalog.pg_class cr ON cr.oid=confrelid
JOIN pg_catalog.pg_namespace nr ON nr.oid=cr.relnamespace
LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid=ct.oid AND des.classoid='pg_constraint'::regclass)
WHERE contype='f' AND conrelid = @oid:public.weather@::oid
ORDER BY conname

-- name: pgadmin4 / nodes #8
-- columns(name:oid): oid:26, name:19, comment:25
SELECT c.oid, c.relname AS name, description AS comment
FROM pg_catalog.pg_class c
    LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid=c.oid and des.objsubid=0 AND des.classoid='pg_class'::regclass)
WHERE c.relkind = 'v' AND c.relnamespace = @oid:schema:public@::oid
ORDER BY c.relname

-- name: pgadmin4 / nodes #9
-- columns(name:oid): oid:26, name:25, lanname:19, funcowner:19, description:25
SELECT pr.oid, pr.proname || '(' || COALESCE(pg_catalog.pg_get_function_identity_arguments(pr.oid), '') || ')' as name,
    lanname, pg_catalog.pg_get_userbyid(proowner) as funcowner, description
FROM pg_catalog.pg_proc pr
JOIN pg_catalog.pg_type typ ON typ.oid=prorettype
JOIN pg_catalog.pg_language lng ON lng.oid=prolang
LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid=pr.oid AND des.classoid='pg_proc'::regclass and des.objsubid = 0)
WHERE pr.prokind IN ('f', 'w') AND pronamespace = @oid:schema:lake@::oid
    AND typname NOT IN ('trigger', 'event_trigger')
ORDER BY proname

-- name: pgadmin4 / nodes #10
-- columns(name:oid): oid:26, name:19, description:25
SELECT t.oid, t.typname AS name, des.description
FROM pg_catalog.pg_type t
    LEFT OUTER JOIN pg_catalog.pg_type e ON e.oid=t.typelem
    LEFT OUTER JOIN pg_catalog.pg_class ct ON ct.oid=t.typrelid AND ct.relkind <> 'c'
    LEFT OUTER JOIN pg_catalog.pg_namespace nsp ON nsp.oid = t.typnamespace
    LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid=t.oid AND des.classoid='pg_type'::regclass)
WHERE t.typtype != 'd' AND t.typname NOT LIKE E'\\_%' AND t.typnamespace = @oid:schema:lake@::oid
AND ct.oid is NULL
ORDER BY t.typname;

-- name: pgadmin4 / nodes #11
-- columns(name:oid): oid:26, name:19, owner:26, description:25
SELECT ts.oid AS oid, spcname AS name, spcowner as owner, pg_catalog.shobj_description(ts.oid, 'pg_tablespace') AS description
FROM pg_catalog.pg_tablespace ts
ORDER BY name;

-- name: pgadmin4 / nodes #12
-- columns(name:oid): oid:26, rolname:19, rolcanlogin:16, rolsuper:16, description:25
SELECT r.oid, r.rolname, r.rolcanlogin, r.rolsuper, pg_catalog.shobj_description(r.oid, 'pg_authid') AS description
FROM pg_catalog.pg_roles r
ORDER BY r.rolcanlogin, r.rolname

-- name: pgadmin4 / nodes #13
-- columns(name:oid): oid:26, owner:19, name:19, schema:19, relocatable:16, version:25, comment:25
SELECT x.oid, pg_catalog.pg_get_userbyid(extowner) AS owner, x.extname AS name, n.nspname AS schema, x.extrelocatable AS relocatable, x.extversion AS version, e.comment
FROM pg_catalog.pg_extension x
    LEFT JOIN pg_catalog.pg_namespace n ON x.extnamespace=n.oid
    JOIN pg_catalog.pg_available_extensions() e(name, default_version, comment) ON x.extname=e.name
ORDER BY x.extname

-- name: pgadmin4 / nodes #14
-- columns(name:oid): oid:26, name:25, description:25
SELECT ca.oid, pg_catalog.concat(pg_catalog.format_type(st.oid,NULL),'->',pg_catalog.format_type(tt.oid,tt.typtypmod)) as name, des.description
FROM pg_catalog.pg_cast ca
    JOIN pg_catalog.pg_type st ON st.oid=castsource
    JOIN pg_catalog.pg_namespace ns ON ns.oid=st.typnamespace
    JOIN pg_catalog.pg_type tt ON tt.oid=casttarget
    JOIN pg_catalog.pg_namespace nt ON nt.oid=tt.typnamespace
    LEFT JOIN pg_catalog.pg_proc pr ON pr.oid=castfunc
    LEFT JOIN pg_catalog.pg_namespace np ON np.oid=pr.pronamespace
    LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid=ca.oid AND des.objsubid=0 AND des.classoid='pg_cast'::regclass)
WHERE ca.oid > 16383::OID
ORDER BY st.typname, tt.typname

-- name: pgadmin4 / properties #1
-- columns(name:oid): oid:26, name:19, spcoid:26, relacl_str:1034, spcname:19, replica_identity:25, schema:19, relowner:19, relkind:18, is_partitioned:16, relhassubclass:16, reltuples:20, description:25, conname:19, conkey:1005, isrepl:16, triggercount:20, coll_inherits:1009, inherited_tables_cnt:20, relpersistence:16, fillfactor:25, parallel_workers:25, autovacuum_enabled:16, reloptions:1009, toast_reloptions:1009, reloftype:26, typname:19, typoid:26, rlspolicy:16, forcerlspolicy:16, hastoasttable:16, seclabels:1009, is_sys_table:16, partition_scheme:25
SELECT rel.oid, rel.relname AS name, rel.reltablespace AS spcoid,rel.relacl AS relacl_str,
  (CASE WHEN length(spc.spcname::text) > 0 OR rel.relkind = 'p' THEN spc.spcname ELSE
    (SELECT sp.spcname FROM pg_catalog.pg_database dtb
    JOIN pg_catalog.pg_tablespace sp ON dtb.dattablespace=sp.oid
    WHERE dtb.oid = @oid:db:lakedb@::oid)
  END) as spcname,
  (CASE rel.relreplident
        WHEN 'd' THEN 'default'
        WHEN 'n' THEN 'nothing'
        WHEN 'f' THEN 'full'
        WHEN 'i' THEN 'index'
  END) as replica_identity,
  (select nspname FROM pg_catalog.pg_namespace WHERE oid = @oid:schema:public@::oid ) as schema,
  pg_catalog.pg_get_userbyid(rel.relowner) AS relowner, rel.relkind,
  (CASE WHEN rel.relkind = 'p' THEN true ELSE false END) AS is_partitioned,
  rel.relhassubclass, rel.reltuples::bigint, des.description, con.conname, con.conkey,
  EXISTS(select 1 FROM pg_catalog.pg_trigger
       JOIN pg_catalog.pg_proc pt ON pt.oid=tgfoid AND pt.proname='logtrigger'
       JOIN pg_catalog.pg_proc pc ON pc.pronamespace=pt.pronamespace AND pc.proname='slonyversion'
     WHERE tgrelid=rel.oid) AS isrepl,
  (SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid=rel.oid AND tgisinternal = FALSE) AS triggercount,
  (SELECT ARRAY(SELECT CASE WHEN (nspname NOT LIKE 'pg\_%') THEN
            pg_catalog.quote_ident(nspname)||'.'||pg_catalog.quote_ident(c.relname)
            ELSE pg_catalog.quote_ident(c.relname) END AS inherited_tables
    FROM pg_catalog.pg_inherits i
    JOIN pg_catalog.pg_class c ON c.oid = i.inhparent
    JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace
    WHERE i.inhrelid = rel.oid ORDER BY inhseqno)) AS coll_inherits,
  (SELECT count(*)
    FROM pg_catalog.pg_inherits i
      JOIN pg_catalog.pg_class c ON c.oid = i.inhparent
      JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace
    WHERE i.inhrelid = rel.oid) AS inherited_tables_cnt,
  (CASE WHEN rel.relpersistence = 'u' THEN true ELSE false END) AS relpersistence,
  substring(pg_catalog.array_to_string(rel.reloptions, ',') FROM 'fillfactor=([0-9]*)') AS fillfactor,
  substring(pg_catalog.array_to_string(rel.reloptions, ',') FROM 'parallel_workers=([0-9]*)') AS parallel_workers,
  (substring(pg_catalog.array_to_string(rel.reloptions, ',') FROM 'autovacuum_enabled=([a-z|0-9]*)'))::BOOL AS autovacuum_enabled,
  rel.reloptions AS reloptions, tst.reloptions AS toast_reloptions, rel.reloftype,
  CASE WHEN typ.typname IS NOT NULL THEN (select pg_catalog.quote_ident(nspname) FROM pg_catalog.pg_namespace WHERE oid = @oid:schema:public@::oid )||'.'||pg_catalog.quote_ident(typ.typname) ELSE typ.typname END AS typname,
  typ.typrelid AS typoid, rel.relrowsecurity as rlspolicy, rel.relforcerowsecurity as forcerlspolicy,
  (CASE WHEN rel.reltoastrelid = 0 THEN false ELSE true END) AS hastoasttable,
  (SELECT pg_catalog.array_agg(provider || '=' || label) FROM pg_catalog.pg_seclabels sl1 WHERE sl1.objoid=rel.oid AND sl1.objsubid=0) AS seclabels,
  (CASE WHEN rel.oid <= 16383::oid THEN true ElSE false END) AS is_sys_table
  ,(CASE WHEN rel.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(@oid:public.weather@::oid) ELSE '' END) AS partition_scheme
FROM pg_catalog.pg_class rel
  LEFT OUTER JOIN pg_catalog.pg_tablespace spc on spc.oid=rel.reltablespace
  LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid=rel.oid AND des.objsubid=0 AND des.classoid='pg_class'::regclass)
  LEFT OUTER JOIN pg_catalog.pg_constraint con ON con.conrelid=rel.oid AND con.contype='p'
  LEFT OUTER JOIN pg_catalog.pg_class tst ON tst.oid = rel.reltoastrelid
  LEFT JOIN pg_catalog.pg_type typ ON rel.reloftype=typ.oid
WHERE rel.relkind IN ('r','s','t','p') AND rel.relnamespace = @oid:schema:public@::oid
AND NOT rel.relispartition
AND rel.oid = @oid:public.weather@::oid ORDER BY rel.relname;

-- name: pgadmin4 / properties #2
-- columns(name:oid): name:19, atttypid:26, attlen:21, attnum:21, attndims:23, atttypmod:23, attacl:1034, attnotnull:16, attoptions:1009, attfdwoptions:1009, attstattarget:23, attstorage:18, attidentity:18, defval:25, typname:25, displaytypname:25, cltype:25, elemoid:26, typnspname:19, defaultstorage:18, description:25, indkey:22, isdup:16, collspcname:25, is_fk:16, seclabels:1009, is_sys_column:16, colconstype:25, relname:19, is_view_only:16, seqrelid:26, seqtypid:26, seqstart:20, seqincrement:20, seqmax:20, seqmin:20, seqcache:20, seqcycle:16
SELECT DISTINCT ON (att.attnum) att.attname as name, att.atttypid, att.attlen, att.attnum, att.attndims,
        att.atttypmod, att.attacl, att.attnotnull, att.attoptions, att.attfdwoptions, att.attstattarget,
        att.attstorage, att.attidentity,
        pg_catalog.pg_get_expr(def.adbin, def.adrelid) AS defval,
        pg_catalog.format_type(ty.oid,NULL) AS typname,
        pg_catalog.format_type(ty.oid,att.atttypmod) AS displaytypname,
        pg_catalog.format_type(ty.oid,att.atttypmod) AS cltype,
        CASE WHEN ty.typelem > 0 THEN ty.typelem ELSE ty.oid END as elemoid,
        (SELECT nspname FROM pg_catalog.pg_namespace WHERE oid = ty.typnamespace) as typnspname,
        ty.typstorage AS defaultstorage,
        description, pi.indkey,
    (SELECT count(1) FROM pg_catalog.pg_type t2 WHERE t2.typname=ty.typname) > 1 AS isdup,
    CASE WHEN length(coll.collname::text) > 0 AND length(nspc.nspname::text) > 0  THEN
      pg_catalog.concat(pg_catalog.quote_ident(nspc.nspname),'.',pg_catalog.quote_ident(coll.collname))
    ELSE '' END AS collspcname,
    EXISTS(SELECT 1 FROM pg_catalog.pg_constraint WHERE conrelid=att.attrelid AND contype='f' AND att.attnum=ANY(conkey)) As is_fk,
    (SELECT pg_catalog.array_agg(provider || '=' || label) FROM pg_catalog.pg_seclabels sl1 WHERE sl1.objoid=att.attrelid AND sl1.objsubid=att.attnum) AS seclabels,
    (CASE WHEN (att.attnum < 1) THEN true ElSE false END) AS is_sys_column,
    (CASE WHEN (att.attidentity in ('a', 'd')) THEN 'i' WHEN (att.attgenerated in ('s')) THEN 'g' ELSE 'n' END) AS colconstype,
    tab.relname as relname,
    (CASE WHEN tab.relkind = 'v' THEN true ELSE false END) AS is_view_only,
    seq.*
FROM pg_catalog.pg_attribute att
  JOIN pg_catalog.pg_type ty ON ty.oid=atttypid
  LEFT OUTER JOIN pg_catalog.pg_attrdef def ON adrelid=att.attrelid AND adnum=att.attnum
  LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid=att.attrelid AND des.objsubid=att.attnum AND des.classoid='pg_class'::regclass)
  LEFT OUTER JOIN (pg_catalog.pg_depend dep JOIN pg_catalog.pg_class cs ON dep.classid='pg_class'::regclass AND dep.objid=cs.oid AND cs.relkind='S') ON dep.refobjid=att.attrelid AND dep.refobjsubid=att.attnum
  LEFT OUTER JOIN pg_catalog.pg_index pi ON pi.indrelid=att.attrelid AND indisprimary
  LEFT OUTER JOIN pg_catalog.pg_collation coll ON att.attcollation=coll.oid
  LEFT OUTER JOIN pg_catalog.pg_namespace nspc ON coll.collnamespace=nspc.oid
  LEFT OUTER JOIN pg_catalog.pg_sequence seq ON cs.oid=seq.seqrelid
  LEFT OUTER JOIN pg_catalog.pg_class tab on tab.oid = att.attrelid
WHERE att.attrelid = @oid:public.weather@::oid
    AND att.attnum > 0
    AND att.attisdropped IS FALSE
    ORDER BY att.attnum;

-- name: pgadmin4 / properties #3
-- columns(name:oid): deftype:25, grantee:19, grantor:19, privileges:1009, grantable:1000
SELECT 'relacl' as deftype, COALESCE(gt.rolname, 'PUBLIC') grantee, g.rolname grantor,
    pg_catalog.array_agg(privilege_type) as privileges, pg_catalog.array_agg(is_grantable) as grantable
FROM
    (SELECT
        d.grantee, d.grantor, d.is_grantable,
        CASE d.privilege_type
        WHEN 'CONNECT' THEN 'c'
        WHEN 'CREATE' THEN 'C'
        WHEN 'DELETE' THEN 'd'
        WHEN 'EXECUTE' THEN 'X'
        WHEN 'INSERT' THEN 'a'
        WHEN 'REFERENCES' THEN 'x'
        WHEN 'SELECT' THEN 'r'
        ELSE 'UNKNOWN'
        END AS privilege_type
    FROM
        (SELECT rel.relacl
            FROM pg_catalog.pg_class rel
              LEFT OUTER JOIN pg_catalog.pg_tablespace spc on spc.oid=rel.reltablespace
            WHERE rel.relkind IN ('r','s','t','p') AND rel.relnamespace = @oid:schema:public@::oid
                AND rel.oid = @oid:public.weather@::oid
        ) acl,
        (SELECT (d).grantee AS grantee, (d).grantor AS grantor, (d).is_grantable
            AS is_grantable, (d).privilege_type AS privilege_type FROM (SELECT
            pg_catalog.aclexplode(rel.relacl) as d
            FROM pg_catalog.pg_class rel
            WHERE rel.relkind IN ('r','s','t','p') AND rel.relnamespace = @oid:schema:public@::oid
                AND rel.oid = @oid:public.weather@::oid
            ) a) d
        ) d
    LEFT JOIN pg_catalog.pg_roles g ON (d.grantor = g.oid)
    LEFT JOIN pg_catalog.pg_roles gt ON (d.grantee = gt.oid)
GROUP BY g.rolname, gt.rolname

-- name: pgadmin4 / properties #4
-- columns(name:oid): oid:26, xmin:28, name:19, spcname:19, relkind:18, owner:19, relhasrules:16, rules:1003, comment:25, system_view:16, definition:25, acl:25
SELECT c.oid, c.xmin, c.relname AS name, spc.spcname AS spcname, c.relkind,
    pg_catalog.pg_get_userbyid(c.relowner) AS owner, c.relhasrules, (SELECT pg_catalog.array_agg(rulename) FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid) as rules,
    description AS comment, (nsp.nspname LIKE 'pg\_%' OR nsp.nspname = 'information_schema') AS system_view,
    pg_catalog.pg_get_viewdef(c.oid, true) AS definition, pg_catalog.array_to_string(c.relacl::text[], ', ') AS acl
FROM pg_catalog.pg_class c
LEFT OUTER JOIN pg_catalog.pg_namespace nsp on nsp.oid = c.relnamespace
LEFT OUTER JOIN pg_catalog.pg_tablespace spc on spc.oid=c.reltablespace
LEFT OUTER JOIN pg_catalog.pg_description des ON (des.objoid=c.oid and des.objsubid=0 AND des.classoid='pg_class'::regclass)
WHERE ((c.relhasrules AND (EXISTS (
        SELECT r.rulename FROM pg_catalog.pg_rewrite r
        WHERE ((r.ev_class = c.oid) AND (bpchar(r.ev_type) = '1'::bpchar)) )))
      AND (c.relkind = 'v'::char))
AND c.oid = @oid:public.weather_v@::oid

-- name: pgadmin4 / properties #5
-- columns(name:oid): did:26, oid:26, name:19, spcoid:26, spcname:19, datallowconn:16, encoding:19, datowner:19, datcollate:25, datctype:25, datconnlimit:23, cancreate:16, default_tablespace:25, comments:25, is_template:16, tblacl:25, acl:25
SELECT db.oid AS did, db.oid, db.datname AS name, db.dattablespace AS spcoid, spcname, datallowconn, pg_catalog.pg_encoding_to_char(encoding) AS encoding,
    pg_catalog.pg_get_userbyid(datdba) AS datowner, db.datcollate as datcollate, db.datctype as datctype, datconnlimit,
    pg_catalog.has_database_privilege(db.oid, 'CREATE') as cancreate,
    pg_catalog.current_setting('default_tablespace') AS default_tablespace,
    descr.description as comments, db.datistemplate AS is_template,
    (SELECT pg_catalog.array_to_string(ARRAY(
        SELECT pg_catalog.array_to_string(defaclacl::text[], ', ')
            FROM pg_catalog.pg_default_acl
        WHERE defaclobjtype = 'r' AND defaclnamespace = 0::OID
    ), ', ')) AS tblacl,
    pg_catalog.array_to_string(datacl::text[], ', ') AS acl
FROM pg_catalog.pg_database db
    LEFT OUTER JOIN pg_catalog.pg_tablespace ta ON db.dattablespace=ta.OID
    LEFT OUTER JOIN pg_catalog.pg_shdescription descr ON (db.oid=descr.objoid AND descr.classoid='pg_database'::regclass)
WHERE db.oid = @oid:db:lakedb@::OID
ORDER BY datname

-- name: pgadmin4 / statistics #1
-- columns(name:oid): Sequential scans:20, Sequential tuples read:20, Index scans:20, Index tuples fetched:20, Tuples inserted:20, Live tuples:20, Dead tuples:20, Last vacuum:1184, Heap blocks read:20, Heap blocks hit:20, Toast blocks read:20, Vacuum counter:20, Table size:25, Toast table size:25, Indexes size:25
SELECT
    seq_scan AS "Sequential scans", seq_tup_read AS "Sequential tuples read", idx_scan AS "Index scans", idx_tup_fetch AS "Index tuples fetched",
    n_tup_ins AS "Tuples inserted", n_live_tup AS "Live tuples", n_dead_tup AS "Dead tuples", last_vacuum AS "Last vacuum",
    heap_blks_read AS "Heap blocks read", heap_blks_hit AS "Heap blocks hit", toast_blks_read AS "Toast blocks read",
    pg_catalog.pg_stat_get_vacuum_count(@oid:public.weather@) AS "Vacuum counter",
    pg_catalog.pg_size_pretty(pg_catalog.pg_relation_size(stat.relid)) AS "Table size",
    CASE WHEN cl.reltoastrelid = 0 THEN 'none' ELSE pg_catalog.pg_size_pretty(pg_catalog.pg_relation_size(cl.reltoastrelid)+ COALESCE((SELECT SUM(pg_catalog.pg_relation_size(indexrelid)) FROM pg_catalog.pg_index WHERE indrelid=cl.reltoastrelid)::int8, 0)) END AS "Toast table size",
    COALESCE((SELECT pg_catalog.pg_size_pretty(SUM(pg_catalog.pg_relation_size(indexrelid))) FROM pg_catalog.pg_index WHERE indrelid=stat.relid)::text, 'none') AS "Indexes size"
FROM pg_catalog.pg_stat_all_tables stat
JOIN pg_catalog.pg_statio_all_tables statio ON stat.relid = statio.relid
JOIN pg_catalog.pg_class cl ON cl.oid=stat.relid
WHERE stat.relid = @oid:public.weather@::oid

-- name: pgadmin4 / dependents #1
-- columns(name:oid): deptype:18, refclassid:26, relkind:18, adbin:194, adsrc:25, type:25, ownertable:19, refname:19, nspname:19
SELECT DISTINCT dep.deptype, dep.refclassid, cl.relkind, ad.adbin, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid) as adsrc,
    CASE WHEN cl.relkind IS NOT NULL THEN CASE WHEN cl.relkind = 'r' THEN cl.relkind::text || COALESCE(dep.refobjsubid::text, '') ELSE cl.relkind::text END
        WHEN tg.oid IS NOT NULL THEN 'T'::text
        WHEN ty.oid IS NOT NULL AND ty.typbasetype = 0 THEN 'y'::text
        WHEN ns.oid IS NOT NULL THEN 'n'::text
        WHEN pr.oid IS NOT NULL AND pr.prorettype = 'trigger'::regtype THEN 't'::text
        WHEN pr.oid IS NOT NULL THEN 'P'::text
        WHEN la.oid IS NOT NULL THEN 'l'::text
        WHEN rw.oid IS NOT NULL THEN 'R'::text
        WHEN co.oid IS NOT NULL THEN 'C'::text || contype::text
    ELSE '' END AS type,
    COALESCE(coc.relname, clrw.relname, tgr.relname) AS ownertable,
    CASE WHEN cl.relname IS NOT NULL AND att.attname IS NOT NULL THEN cl.relname::text || '.' || att.attname
    ELSE COALESCE(cl.relname, co.conname, pr.proname, tg.tgname, ty.typname, la.lanname, rw.rulename, ns.nspname)
    END AS refname,
    COALESCE(nsc.nspname, nso.nspname, nsp.nspname, nst.nspname, nsrw.nspname, tgrn.nspname) AS nspname
FROM pg_catalog.pg_depend dep
LEFT JOIN pg_catalog.pg_class cl ON dep.refobjid=cl.oid
LEFT JOIN pg_catalog.pg_attribute att ON dep.refobjid=att.attrelid AND dep.refobjsubid=att.attnum
LEFT JOIN pg_catalog.pg_namespace nsc ON cl.relnamespace=nsc.oid
LEFT JOIN pg_catalog.pg_proc pr ON dep.refobjid=pr.oid
LEFT JOIN pg_catalog.pg_namespace nsp ON pr.pronamespace=nsp.oid
LEFT JOIN pg_catalog.pg_trigger tg ON dep.refobjid=tg.oid
LEFT JOIN pg_catalog.pg_class tgr ON tg.tgrelid=tgr.oid
LEFT JOIN pg_catalog.pg_namespace tgrn ON tgr.relnamespace=tgrn.oid
LEFT JOIN pg_catalog.pg_type ty ON dep.refobjid=ty.oid
LEFT JOIN pg_catalog.pg_namespace nst ON ty.typnamespace=nst.oid
LEFT JOIN pg_catalog.pg_constraint co ON dep.refobjid=co.oid
LEFT JOIN pg_catalog.pg_class coc ON co.conrelid=coc.oid
LEFT JOIN pg_catalog.pg_namespace nso ON co.connamespace=nso.oid
LEFT JOIN pg_catalog.pg_rewrite rw ON dep.refobjid=rw.oid
LEFT JOIN pg_catalog.pg_class clrw ON clrw.oid=rw.ev_class
LEFT JOIN pg_catalog.pg_namespace nsrw ON clrw.relnamespace=nsrw.oid
LEFT JOIN pg_catalog.pg_language la ON dep.refobjid=la.oid
LEFT JOIN pg_catalog.pg_namespace ns ON dep.refobjid=ns.oid
LEFT JOIN pg_catalog.pg_attrdef ad ON ad.adrelid=att.attrelid AND ad.adnum=att.attnum
WHERE dep.objid=@oid:public.weather@::oid
AND dep.refclassid IN (
SELECT oid FROM pg_catalog.pg_class WHERE relname IN ('pg_class', 'pg_constraint', 'pg_conversion', 'pg_language', 'pg_proc', 'pg_rewrite', 'pg_namespace', 'pg_trigger', 'pg_type', 'pg_attrdef', 'pg_event_trigger', 'pg_foreign_server', 'pg_foreign_data_wrapper'))
ORDER BY dep.refclassid, cl.relkind

-- name: pgadmin4 / dashboard #1
-- columns(name:oid): Total:20, Active:20, Idle:20
/*pga4dash*/
SELECT
    (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = (SELECT datname FROM pg_catalog.pg_database WHERE oid = @oid:db:lakedb@)) AS "Total",
    (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE state = 'active' AND datname = (SELECT datname FROM pg_catalog.pg_database WHERE oid = @oid:db:lakedb@))  AS "Active",
    (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE state = 'idle' AND datname = (SELECT datname FROM pg_catalog.pg_database WHERE oid = @oid:db:lakedb@))  AS "Idle"

-- name: pgadmin4 / dashboard #2
-- columns(name:oid): chart_name:25, chart_data:114
/*pga4dash*/
SELECT 'session_stats' AS chart_name, pg_catalog.row_to_json(t) AS chart_data
FROM (SELECT
   (SELECT count(*) FROM pg_catalog.pg_stat_activity) AS "Total",
   (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE state = 'active')  AS "Active",
   (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE state = 'idle')  AS "Idle"
) t
UNION ALL
SELECT 'tps_stats' AS chart_name, pg_catalog.row_to_json(t) AS chart_data
FROM (SELECT
   (SELECT sum(xact_commit) + sum(xact_rollback) FROM pg_catalog.pg_stat_database) AS "Transactions",
   (SELECT sum(xact_commit) FROM pg_catalog.pg_stat_database) AS "Commits",
   (SELECT sum(xact_rollback) FROM pg_catalog.pg_stat_database) AS "Rollbacks"
) t

-- name: pgadmin4 / dashboard #3
-- columns(name:oid): pid:23, datname:19, usename:19, application_name:25, client_addr:869, backend_start:25, state:25, wait_event:25, blocking_pids:25, query:25, state_change:25, query_start:25, xact_start:25, backend_type:25, active_since:1700
/*pga4dash*/
SELECT
    pid, datname, usename, application_name, client_addr,
    pg_catalog.to_char(backend_start, 'YYYY-MM-DD HH24:MI:SS TZ') AS backend_start, state,
    CASE WHEN wait_event_type IS NOT NULL THEN wait_event_type || ': ' || wait_event ELSE '' END AS wait_event,
    array_to_string(pg_catalog.pg_blocking_pids(pid), ', ') AS blocking_pids,
    query, pg_catalog.to_char(state_change, 'YYYY-MM-DD HH24:MI:SS TZ') AS state_change,
    pg_catalog.to_char(query_start, 'YYYY-MM-DD HH24:MI:SS TZ') AS query_start,
    pg_catalog.to_char(xact_start, 'YYYY-MM-DD HH24:MI:SS TZ') AS xact_start,
    backend_type,
    CASE WHEN state = 'active' THEN ROUND((extract(epoch from now() - query_start) / 60)::numeric, 2) ELSE 0 END AS active_since
FROM pg_catalog.pg_stat_activity
WHERE datname = (SELECT datname FROM pg_catalog.pg_database WHERE oid = @oid:db:lakedb@)
ORDER BY pid

-- name: pgadmin4 / dashboard #4
-- columns(name:oid): pid:23, locktype:25, datname:19, relation:2205, page:23, tuple:21, virtualxid:25, transactionid:28, classid:2205, objid:26, objsubid:21, virtualtransaction:25, mode:25, granted:16, fastpath:16
/*pga4dash*/
SELECT pid, locktype, datname, relation::regclass, page, tuple,
    virtualxid, transactionid, classid::regclass, objid, objsubid, virtualtransaction, mode, granted, fastpath
FROM pg_catalog.pg_locks l
    LEFT OUTER JOIN pg_catalog.pg_database d ON (l.database = d.oid)
WHERE datname = (SELECT datname FROM pg_catalog.pg_database WHERE oid = @oid:db:lakedb@)
ORDER BY pid, locktype

-- name: pgadmin4 / dashboard #5
-- columns(name:oid): gid:25, database:19, owner:19, transaction:28, prepared:25
/*pga4dash*/
SELECT gid, database, owner, transaction, pg_catalog.to_char(prepared, 'YYYY-MM-DD HH24:MI:SS TZ') AS prepared FROM pg_catalog.pg_prepared_xacts ORDER BY gid, database, owner

-- name: pgadmin4 / dashboard #6
-- columns(name:oid): name:25, category:25, setting:25, unit:25, short_desc:25
/*pga4dash*/
SELECT name, category, setting, unit, short_desc FROM pg_catalog.pg_settings ORDER BY category

-- name: pgadmin4 / dashboard #7
-- columns(name:oid): Database:19, Backends:23, Xact committed:20, Blocks read:20, Tuples returned:20, Last statistics reset:1184, Tablespace conflicts:20, Temporary files:20, Deadlocks:20, Block read time:701, Size:25
/*pga4dash*/
SELECT d.datname AS "Database", numbackends AS "Backends", xact_commit AS "Xact committed", blks_read AS "Blocks read", tup_returned AS "Tuples returned", stats_reset AS "Last statistics reset",
  slave.confl_tablespace AS "Tablespace conflicts", temp_files AS "Temporary files", deadlocks AS "Deadlocks", blk_read_time AS "Block read time",
  pg_catalog.pg_size_pretty(pg_catalog.pg_database_size(d.datname)) AS "Size"
FROM pg_catalog.pg_stat_database d JOIN pg_catalog.pg_stat_database_conflicts slave ON d.datid = slave.datid
WHERE d.datid = @oid:db:lakedb@
ORDER BY d.datname

-- name: pgadmin4 / query tool #1
-- columns(name:oid): attname:19, attnum:21, typname:19
SELECT at.attname, at.attnum, ty.typname
FROM pg_catalog.pg_attribute at LEFT JOIN pg_catalog.pg_type ty ON (ty.oid = at.atttypid)
WHERE at.attrelid=@oid:public.weather@::oid AND at.attnum = ANY (
    (SELECT con.conkey FROM pg_catalog.pg_class rel LEFT OUTER JOIN pg_catalog.pg_constraint con ON con.conrelid=rel.oid
    AND con.contype='p' WHERE rel.relkind IN ('r','s','t', 'p') AND rel.oid = @oid:public.weather@::oid)::oid[])

-- name: pgadmin4 / query tool #2
-- columns(name:oid): oid:26, typname:25
SELECT oid, pg_catalog.format_type(oid, NULL) AS typname FROM pg_catalog.pg_type WHERE oid = ANY(ARRAY[1184,25,701]) ORDER BY oid;

-- name: pgadmin4 / query tool #3
-- columns(name:oid): relname:19, nspname:19
SELECT relname, nspname FROM pg_catalog.pg_class c, pg_catalog.pg_namespace n WHERE c.relnamespace = n.oid AND c.oid IN (@oid:public.weather@)

-- name: pgadmin4 / query tool #4
-- columns(name:oid): schema_name:19, object_name:19
SELECT nsp.nspname schema_name, cls.relname object_name
FROM pg_catalog.pg_class cls JOIN pg_catalog.pg_namespace nsp ON nsp.oid = cls.relnamespace
WHERE cls.relkind IN ('r', 'v', 'm') AND nsp.nspname IN ('public') ORDER BY 1,2

-- name: pgadmin4 / query tool #5
-- columns(name:oid): pg_cancel_backend:16
SELECT pg_catalog.pg_cancel_backend(0)

-- name: pgadmin4 / search #1
-- columns(name:oid): obj_type:25, obj_name:19, obj_path:25, schema_name:19, show_node:16, other_info:25
SELECT obj_type, obj_name, REPLACE(obj_path, '/'||sn.schema_name||'/', '/'||CASE WHEN sn.schema_name='public' THEN 'public' ELSE sn.schema_name END||'/') AS obj_path, schema_name, show_node, other_info
FROM (
SELECT
    CASE WHEN c.relkind in ('r', 't') THEN 'table' WHEN c.relkind = 'v' THEN 'view' ELSE 'should not happen' END::text AS obj_type,
    c.relname AS obj_name, ':schema.'|| n.oid || ':/' || n.nspname || '/' || c.relname AS obj_path, n.nspname AS schema_name, True AS show_node, NULL AS other_info
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind in ('r','t','v','f','p') AND c.relname ilike '%weather%' ESCAPE '!'
) sn
WHERE lower(sn.obj_name) LIKE lower('%weather%') ESCAPE '!'
AND NOT (sn.schema_name IN ('pg_catalog', 'pgagent', 'information_schema') OR sn.schema_name LIKE 'pg!_%' ESCAPE '!')
ORDER BY 1, 2, 3
