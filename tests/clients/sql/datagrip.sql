-- What the IDEs of JetBrains ask on connect and to introspect a database, by the shape of their statements.

-- name: datagrip / connect #1
-- columns(name:oid):
SET extra_float_digits = 3

-- name: datagrip / connect #2
-- columns(name:oid):
SET application_name = 'DataGrip 2025.2.3'

-- name: datagrip / connect #3
-- columns(name:oid): version:25
select version()

-- name: datagrip / connect #4
-- columns(name:oid): a:19, b:1003
select current_database() as a, current_schemas(false) as b

-- name: datagrip / connect #5
-- columns(name:oid): transaction_isolation:25
SHOW TRANSACTION ISOLATION LEVEL

-- name: datagrip / connect #6
-- columns(name:oid): current_database:19, current_schema:19, current_user:19
select current_database(), current_schema(), current_user

-- name: datagrip / connect #7
-- columns(name:oid): DateStyle:25
show DateStyle

-- name: datagrip / connect #8
-- columns(name:oid): name:25, is_dst:16
select name, is_dst from pg_catalog.pg_timezone_names
union distinct
select abbrev as name, is_dst from pg_catalog.pg_timezone_abbrevs

-- name: datagrip / connect #9
-- columns(name:oid): ssl:16
select ssl from pg_stat_ssl where pid = pg_backend_pid()

-- name: datagrip / state #1
-- columns(name:oid): startup_time:1700
select round(extract(epoch from pg_postmaster_start_time() at time zone 'UTC')) as startup_time

-- name: datagrip / state #2
-- columns(name:oid): transaction_id:20
select L.transactionid::varchar::bigint as transaction_id
from pg_catalog.pg_locks L
where L.transactionid is not null
order by pg_catalog.age(L.transactionid) desc
limit 1

-- name: datagrip / state #3
-- columns(name:oid): current_txid:20
select case
  when pg_catalog.pg_is_in_recovery()
    then null
  else
    (pg_catalog.txid_current() % 4294967296)::varchar::bigint
  end as current_txid

-- name: datagrip / server #1
-- columns(name:oid): id:20, name:19, description:25, is_template:16, allow_connections:16, owner:19
select N.oid::bigint as id,
       datname as name,
       D.description,
       datistemplate as is_template,
       datallowconn as allow_connections,
       pg_catalog.pg_get_userbyid(N.datdba) as "owner"
from pg_catalog.pg_database N
  left join pg_catalog.pg_shdescription D on N.oid = D.objoid
order by case when datname = pg_catalog.current_database() then -1::bigint else N.oid::bigint end

-- name: datagrip / server #2
-- columns(name:oid): id:20, state_number:28, name:19, description:25, owner:19
select N.oid::bigint as id,
       N.xmin as state_number,
       nspname as name,
       D.description,
       pg_catalog.pg_get_userbyid(N.nspowner) as "owner"
from pg_catalog.pg_namespace N
  left join pg_catalog.pg_description D on N.oid = D.objoid
order by case when nspname = pg_catalog.current_schema() then -1::bigint else N.oid::bigint end

-- name: datagrip / server #3
-- columns(name:oid): role_id:20, role_name:19, is_super:16, is_inherit:16, can_createrole:16, can_createdb:16, can_login:16, is_replication:16, conn_limit:23, valid_until:1184, bypass_rls:16, config:1009, description:25
select R.oid::bigint as role_id, rolname as role_name,
  rolsuper is_super, rolinherit is_inherit,
  rolcreaterole can_createrole, rolcreatedb can_createdb,
  rolcanlogin can_login, rolreplication /* false */ is_replication,
  rolconnlimit conn_limit, rolvaliduntil valid_until,
  rolbypassrls /* false */ bypass_rls, rolconfig config,
  D.description
from pg_catalog.pg_roles R
  left join pg_catalog.pg_shdescription D on D.objoid = R.oid

-- name: datagrip / server #4
-- columns(name:oid): id:26, role_id:26, admin_option:16
select member id, roleid role_id, admin_option
from pg_catalog.pg_auth_members order by id, roleid::text

-- name: datagrip / server #5
-- columns(name:oid): id:20, name:19, state_number:28, owner:19, location:25, options:1009, comment:25
select T.oid::bigint as id, T.spcname as name,
       T.xmin as state_number, pg_catalog.pg_get_userbyid(T.spcowner) as owner,
       pg_catalog.pg_tablespace_location(T.oid) /* null */ as location,
       T.spcoptions /* null */ as options,
       D.description as comment
from pg_catalog.pg_tablespace T
  left join pg_catalog.pg_shdescription D on D.objoid = T.oid
--  where pg_catalog.age(T.xmin) <= #TXAGE

-- name: datagrip / server #6
-- columns(name:oid): object_id:26, acl:1034
select T.oid as object_id, T.spcacl as acl from pg_catalog.pg_tablespace T
union all
select T.oid as object_id, T.datacl as acl from pg_catalog.pg_database T

-- name: datagrip / server #7
-- columns(name:oid): age:23
select pg_catalog.age(T.xmin) as age from pg_catalog.pg_namespace T where pg_catalog.age(T.xmin) <= 2147483647

-- name: datagrip / database #1
-- columns(name:oid): id:26, state_number:28, name:19, owner:19, handler:25, validator:25, options:1009
select F.oid as id, F.xmin as state_number, F.fdwname as name, pg_catalog.pg_get_userbyid(F.fdwowner) as "owner",
       F.fdwhandler::regproc::text as handler, F.fdwvalidator::regproc::text as validator, F.fdwoptions as options
from pg_catalog.pg_foreign_data_wrapper F

-- name: datagrip / database #2
-- columns(name:oid): id:26, fdw_id:26, state_number:28, name:19, type:25, version:25, options:1009
select S.oid as id, S.srvfdw as fdw_id, S.xmin as state_number, S.srvname as name, S.srvtype as type, S.srvversion as version, S.srvoptions as options
from pg_catalog.pg_foreign_server S

-- name: datagrip / database #3
-- columns(name:oid): id:26, server_id:26, user:19, options:1009
select umid as id, srvid as server_id, case when umuser = 0 then null else pg_catalog.pg_get_userbyid(umuser) end as user, umoptions as options
from pg_catalog.pg_user_mappings
order by server_id

-- name: datagrip / database #4
-- columns(name:oid): access_method_id:26, state_number:28, access_method_name:19, handler_id:26, handler_name:25, access_method_type:18
select A.oid as access_method_id, A.xmin as state_number, A.amname as access_method_name,
       A.amhandler::oid as handler_id, pg_catalog.quote_ident(N.nspname) || '.' || pg_catalog.quote_ident(P.proname) as handler_name,
       A.amtype as access_method_type
from pg_am A
  join pg_proc P on A.amhandler::oid = P.oid
  join pg_namespace N on P.pronamespace = N.oid

-- name: datagrip / database #5
-- columns(name:oid): id:26, state_number:28, name:19, trusted:16, handler:19, handlerSchema:19, inline:19, inlineSchema:19, validator:19, validatorSchema:19
select L.oid as id, L.xmin as state_number, L.lanname as name, L.lanpltrusted as trusted,
       h.proname as handler, hs.nspname as "handlerSchema", i.proname as "inline", isc.nspname as "inlineSchema", v.proname as validator, vs.nspname as "validatorSchema"
from pg_catalog.pg_language L
    left join pg_catalog.pg_proc h on h.oid = lanplcallfoid
    left join pg_catalog.pg_namespace hs on hs.oid = h.pronamespace
    left join pg_catalog.pg_proc i on i.oid = laninline
    left join pg_catalog.pg_namespace isc on isc.oid = i.pronamespace
    left join pg_catalog.pg_proc v on v.oid = lanvalidator
    left join pg_catalog.pg_namespace vs on vs.oid = v.pronamespace
order by lanname

-- name: datagrip / database #6
-- columns(name:oid): id:26, state_number:28, name:19, version:25, schema_id:26, schema_name:19, available_updates:1009
select E.oid as id, E.xmin as state_number, extname as name, extversion as version, extnamespace as schema_id, nspname as schema_name,
       array(select unnest from unnest(available_versions) where unnest > extversion) as available_updates
from pg_catalog.pg_extension E
  join pg_namespace N on E.extnamespace = N.oid
  left join (select name, array_agg(version) as available_versions from pg_available_extension_versions() group by name) V on E.extname = V.name

-- name: datagrip / database #7
-- columns(name:oid): oid:26, state_number:28, castsource_id:26, castsource_name:25, casttarget_id:26, castfunc_id:26, castcontext:18, castmethod:18
select C.oid, C.xmin as state_number, C.castsource as castsource_id, pg_catalog.quote_ident(SN.nspname) || '.' || pg_catalog.quote_ident(S.typname) as castsource_name,
       C.casttarget as casttarget_id, C.castfunc as castfunc_id, C.castcontext, C.castmethod
from pg_cast C
     left outer join pg_type S on C.castsource::oid = S.oid
     left outer join pg_namespace SN on S.typnamespace = SN.oid

-- name: datagrip / schema #1
-- columns(name:oid): table_id:26, table_kind:18
select T.oid table_id, relkind table_kind from pg_catalog.pg_class T where relnamespace = '@oid:schema:lake@'::oid and relkind in ('r', 'm', 'v', 'f', 'p')

-- name: datagrip / schema #2
-- columns(name:oid): sequence_state_number:28, sequence_id:26, sequence_name:19, data_type:25, start_value:20, inc_value:20, min_value:20, max_value:20, cache_size:20, cycle_option:16, owner:19
select cls.xmin as sequence_state_number, sq.seqrelid as sequence_id, cls.relname as sequence_name, pg_catalog.format_type(sq.seqtypid, null) as data_type,
       sq.seqstart as start_value, sq.seqincrement as inc_value, sq.seqmin as min_value, sq.seqmax as max_value, sq.seqcache as cache_size, sq.seqcycle as cycle_option,
       pg_catalog.pg_get_userbyid(cls.relowner) as "owner"
from pg_catalog.pg_sequence sq
  join pg_class cls on sq.seqrelid = cls.oid
where cls.relnamespace = '@oid:schema:lake@'::oid

-- name: datagrip / schema #3
-- columns(name:oid): type_id:26, type_state_number:28, type_name:19, type_sub_kind:18, type_category:18, class_id:26, base_type_id:26, type_def:25, dimensions_number:23, default_expression:25, mandatory:16, owner:19
select T.oid as type_id, T.xmin as type_state_number, T.typname as type_name, T.typtype as type_sub_kind, T.typcategory as type_category,
       T.typrelid as class_id, T.typbasetype as base_type_id,
       case when T.typtype in ('c','e') then null else pg_catalog.format_type(T.typbasetype, T.typtypmod) end as type_def,
       T.typndims as dimensions_number, T.typdefault as default_expression, T.typnotnull as mandatory, pg_catalog.pg_get_userbyid(T.typowner) as "owner"
from pg_catalog.pg_type T left outer join pg_catalog.pg_class C on T.typrelid = C.oid
where T.typnamespace = '@oid:schema:lake@'::oid and (T.typtype in ('d','e') or C.relkind = 'c'::"char" or (T.typtype = 'b' and (T.typelem = 0 OR T.typcategory <> 'A')) or T.typtype = 'p' and not T.typisdefined)
order by 1

-- name: datagrip / schema #4
-- columns(name:oid): table_kind:18, table_name:19, table_id:26, table_state_number:28, table_with_oids:16, tablespace_id:26, options:1009, persistence:18, ancestors:1043, successors:1043, is_partition:16, partition_key:25, partition_expression:25, am_id:26, owner:19
select T.relkind as table_kind, T.relname as table_name, T.oid as table_id, T.xmin as table_state_number, false /* T.relhasoids */ as table_with_oids,
       T.reltablespace as tablespace_id, T.reloptions as options, T.relpersistence as persistence,
       (select pg_catalog.array_agg(inhparent::bigint order by inhseqno)::varchar from pg_catalog.pg_inherits where T.oid = inhrelid) as ancestors,
       (select pg_catalog.array_agg(inhrelid::bigint order by inhrelid)::varchar from pg_catalog.pg_inherits where T.oid = inhparent) as successors,
       T.relispartition as is_partition, pg_catalog.pg_get_partkeydef(T.oid) as partition_key,
       pg_catalog.pg_get_expr(T.relpartbound, T.oid) as partition_expression, T.relam am_id, pg_catalog.pg_get_userbyid(T.relowner) as "owner"
from pg_catalog.pg_class T
where relnamespace = '@oid:schema:lake@'::oid and relkind in ('r', 'm', 'v', 'f', 'p')
order by table_kind, table_id

-- name: datagrip / schema #5
-- columns(name:oid): table_id:26, column_position:21, column_name:19, column_state_number:28, type_mod:23, dimensions_number:23, type_spec:25, type_id:26, mandatory:16, column_default_expression:25, column_is_inherited:16, options:1009, column_is_dropped:16, identity_kind:18, generated:18
with T as (select distinct T.oid as table_id, T.relname as table_name
           from pg_catalog.pg_class T, pg_catalog.pg_attribute A
           where T.relnamespace = '@oid:schema:lake@'::oid and T.relkind in ('r', 'm', 'v', 'f', 'p') and A.attrelid = T.oid)
select T.table_id, C.attnum as column_position, C.attname as column_name, C.xmin as column_state_number, C.atttypmod as type_mod, C.attndims as dimensions_number,
       pg_catalog.format_type(C.atttypid, C.atttypmod) as type_spec, C.atttypid as type_id, C.attnotnull as mandatory,
       pg_catalog.pg_get_expr(D.adbin, T.table_id) as column_default_expression, not C.attislocal as column_is_inherited,
       C.attfdwoptions as options, C.attisdropped as column_is_dropped, C.attidentity as identity_kind, C.attgenerated as generated
from T
  join pg_catalog.pg_attribute C on T.table_id = C.attrelid
  left join pg_catalog.pg_attrdef D on (C.attrelid, C.attnum) = (D.adrelid, D.adnum)
where attnum > 0
order by table_id, attnum

-- name: datagrip / schema #6
-- columns(name:oid): table_id:26, table_kind:18, index_name:19, index_id:26, state_number:28, is_unique:16, is_primary:16, nulls_not_distinct:16, condition:25, ancestors:1043, tablespace_id:26, access_method_id:26
select tab.oid table_id, tab.relkind table_kind, ind_stor.relname index_name, ind_head.indexrelid index_id, ind_stor.xmin state_number,
       ind_head.indisunique is_unique, ind_head.indisprimary is_primary, ind_head.indnullsnotdistinct nulls_not_distinct,
       pg_catalog.pg_get_expr(ind_head.indpred, ind_head.indrelid) as condition,
       (select pg_catalog.array_agg(inhparent::bigint order by inhseqno)::varchar from pg_catalog.pg_inherits where ind_stor.oid = inhrelid) as ancestors,
       ind_stor.reltablespace tablespace_id, opcmethod as access_method_id
from pg_catalog.pg_class tab
  join pg_catalog.pg_index ind_head on ind_head.indrelid = tab.oid
  join pg_catalog.pg_class ind_stor on tab.relnamespace = ind_stor.relnamespace and ind_stor.oid = ind_head.indexrelid
  left join pg_catalog.pg_opclass on pg_opclass.oid = ANY(indclass)
where tab.relnamespace = '@oid:schema:lake@'::oid and tab.relkind in ('r', 'm', 'v', 'p') and ind_stor.relkind in ('i', 'I')

-- name: datagrip / schema #7
-- columns(name:oid): index_id:26, col_idx:20, in_key:16, column_position:21, column_options:21, collation:26, collation_schema:19, collation_str:19, opclass:26, opclass_schema:19, opclass_str:19, expression:25, can_order:16
select ind_head.indexrelid index_id, k col_idx, k <= indnkeyatts in_key, ind_head.indkey[k-1] column_position, ind_head.indoption[k-1] column_options,
       ind_head.indcollation[k-1] as collation, colln.nspname as collation_schema, collname as collation_str, ind_head.indclass[k-1] as opclass,
       case when opcdefault then null else opcn.nspname end as opclass_schema, case when opcdefault then null else opcname end as opclass_str,
       case when indexprs is null then null
            when ind_head.indkey[k-1] = 0 then chr(27) || pg_catalog.pg_get_indexdef(ind_head.indexrelid, k::int, true)
            else pg_catalog.pg_get_indexdef(ind_head.indexrelid, k::int, true) end as expression,
       amcanorder can_order
from pg_catalog.pg_index ind_head
  join pg_catalog.pg_class ind_stor on ind_stor.oid = ind_head.indexrelid
  cross join unnest(ind_head.indkey) with ordinality u(u, k)
  left join pg_catalog.pg_collation on pg_collation.oid = ind_head.indcollation[k-1]
  left join pg_catalog.pg_namespace colln on collnamespace = colln.oid
  cross join pg_catalog.pg_indexam_has_property(ind_stor.relam, 'can_order') amcanorder
  left join pg_catalog.pg_opclass on pg_opclass.oid = ind_head.indclass[k-1]
  left join pg_catalog.pg_namespace opcn on opcnamespace = opcn.oid
where ind_stor.relnamespace = '@oid:schema:lake@'::oid and ind_stor.relkind in ('i', 'I')
order by index_id, k

-- name: datagrip / schema #8
-- columns(name:oid): table_id:26, table_kind:18, con_id:20, con_state_id:20, con_name:19, con_kind:18, con_columns:1005, index_id:26, ref_table_id:26, is_deferrable:16, is_init_deferred:16, on_update:18, on_delete:18, no_inherit:16, con_expression:25, ref_columns:1005, excl_operators:1007, excl_operators_str:1015
select T.oid table_id, relkind table_kind, C.oid::bigint con_id, C.xmin::varchar::bigint con_state_id, conname con_name, contype con_kind, conkey con_columns,
       conindid index_id, confrelid ref_table_id, condeferrable is_deferrable, condeferred is_init_deferred, confupdtype on_update, confdeltype on_delete,
       connoinherit no_inherit, pg_catalog.pg_get_expr(conbin, T.oid) con_expression, confkey ref_columns,
       conexclop::int[] excl_operators, array(select unnest::regoper::varchar from unnest(conexclop)) excl_operators_str
from pg_catalog.pg_constraint C join pg_catalog.pg_class T on C.conrelid = T.oid
where relkind in ('r', 'v', 'f', 'p') and relnamespace = '@oid:schema:lake@'::oid and contype in ('p', 'u', 'f', 'c', 'x') and connamespace = '@oid:schema:lake@'::oid

-- name: datagrip / schema #9
-- columns(name:oid): lang_oid:26, r_name:19, r_id:26, r_state_number:28, arg_names:1009, arg_modes:1002, in_arg_types:1007, all_arg_types:1007, arg_defaults:25, arg_variadic_id:26, ret_type_id:26, ret_set:16, kind:18, volatile_kind:18, is_strict:16, is_security_definer:16, configuration_parameters:1009, cost:700, owner:19, rows:700, is_leakproof:16, concurrency_kind:18, lang:19
with languages as (select oid as lang_oid, lanname as lang from pg_catalog.pg_language),
     routines as (select proname as r_name, prolang as lang_oid, oid as r_id, xmin as r_state_number, proargnames as arg_names, proargmodes as arg_modes,
                         proargtypes::int[] as in_arg_types, proallargtypes::int[] as all_arg_types, pg_catalog.pg_get_expr(proargdefaults, 0) as arg_defaults,
                         provariadic as arg_variadic_id, prorettype as ret_type_id, proretset as ret_set, prokind as kind, provolatile as volatile_kind,
                         proisstrict as is_strict, prosecdef as is_security_definer, proconfig as configuration_parameters, procost as cost,
                         pg_catalog.pg_get_userbyid(proowner) as "owner", prorows as rows, proleakproof as is_leakproof, proparallel as concurrency_kind
                  from pg_catalog.pg_proc where pronamespace = '@oid:schema:lake@'::oid and not (prokind = 'a'))
select * from routines natural join languages

-- name: datagrip / schema #10
-- columns(name:oid): aggregate_id:26, state_number:28, aggregate_name:19, arg_names:1009, arg_modes:1002, in_arg_types:1007, all_arg_types:1007, transition_function_id:26, transition_function_name:25, transition_type:26, final_function_id:26, final_function_name:1043, final_return_type:26, initial_value:25, sort_operator_id:26, sort_operator_name:1043, owner:19
select P.oid as aggregate_id, P.xmin as state_number, P.proname as aggregate_name, P.proargnames as arg_names, P.proargmodes as arg_modes,
       P.proargtypes::int[] as in_arg_types, P.proallargtypes::int[] as all_arg_types, A.aggtransfn::oid as transition_function_id, A.aggtransfn::regproc::text as transition_function_name,
       A.aggtranstype as transition_type, A.aggfinalfn::oid as final_function_id, case when A.aggfinalfn::oid = 0 then null else A.aggfinalfn::regproc::varchar end as final_function_name,
       case when A.aggfinalfn::oid = 0 then 0 else P.prorettype end as final_return_type, A.agginitval as initial_value, A.aggsortop as sort_operator_id,
       case when A.aggsortop = 0 then null else A.aggsortop::regoper::varchar end as sort_operator_name, pg_catalog.pg_get_userbyid(P.proowner) as "owner"
from pg_aggregate A join pg_catalog.pg_proc P on A.aggfnoid::oid = P.oid
where P.pronamespace = '@oid:schema:lake@'::oid
order by P.oid

-- name: datagrip / schema #11
-- columns(name:oid): op_id:26, state_number:28, op_name:19, op_kind:18, arg_left_type_id:26, arg_right_type_id:26, arg_result_type_id:26, main_id:26, main_name:1043, restrict_id:26, restrict_name:1043, join_id:26, com_id:26, com_name:1043, neg_id:26, neg_name:1043, merges:16, hashes:16
select O.oid as op_id, O.xmin as state_number, oprname as op_name, oprkind as op_kind, oprleft as arg_left_type_id, oprright as arg_right_type_id, oprresult as arg_result_type_id,
       oprcode::oid as main_id, oprcode::varchar as main_name, oprrest::oid as restrict_id, oprrest::varchar as restrict_name, oprjoin::oid as join_id,
       oprcom::oid as com_id, oprcom::regoper::varchar as com_name, oprnegate::oid as neg_id, oprnegate::regoper::varchar as neg_name, oprcanmerge as merges, oprcanhash as hashes
from pg_catalog.pg_operator O where oprnamespace = '@oid:schema:lake@'::oid

-- name: datagrip / schema #12
-- columns(name:oid): table_id:26, rule_id:26, rule_state_number:28, rule_name:19, rule_event_code:25, rule_fire_mode:18, rule_is_instead:16
select R.ev_class as table_id, R.oid as rule_id, R.xmin as rule_state_number, R.rulename as rule_name, pg_catalog.translate(ev_type,'1234','SUID') as rule_event_code,
       R.ev_enabled as rule_fire_mode, R.is_instead as rule_is_instead
from pg_catalog.pg_rewrite R
where R.ev_class in (select oid from pg_catalog.pg_class where relnamespace = '@oid:schema:lake@'::oid) and R.rulename != '_RETURN'::name
order by R.ev_class::bigint, ev_type

-- name: datagrip / schema #13
-- columns(name:oid): table_id:26, trigger_id:26, trigger_state_number:28, trigger_name:19, trigger_arguments:25, trigger_bits:23, trigger_fire_mode:18, is_deferrable:16, trigger_columns:22
select T.tgrelid as table_id, T.oid as trigger_id, T.xmin as trigger_state_number, T.tgname as trigger_name, pg_catalog.encode(T.tgargs, 'escape') as trigger_arguments,
       T.tgtype & 31 as trigger_bits, T.tgenabled as trigger_fire_mode, T.tgdeferrable as is_deferrable, T.tgattr as trigger_columns
from pg_catalog.pg_trigger T
where T.tgrelid in (select oid from pg_catalog.pg_class where relnamespace = '@oid:schema:lake@'::oid) and not T.tgisinternal

-- name: datagrip / schema #14
-- columns(name:oid): id:26, kind:18, sub_id:23, description:25
select D.objoid id, case when 'pg_catalog.pg_namespace'::regclass::oid = D.classoid then 's' when 'pg_catalog.pg_class'::regclass::oid = D.classoid then C.relkind end as kind, D.objsubid sub_id, D.description
from pg_catalog.pg_description D left join pg_catalog.pg_class C on D.objoid = C.oid
where C.relnamespace = '@oid:schema:lake@'::oid and D.objoid = C.oid

-- name: datagrip / schema #15
-- columns(name:oid): view_kind:18, view_id:26, source_text:25
select T.relkind as view_kind, T.oid as view_id, pg_catalog.pg_get_viewdef(T.oid, true) as source_text
from pg_catalog.pg_class T where T.relnamespace = '@oid:schema:public@'::oid and T.relkind in ('v')

-- name: datagrip / schema #16
-- columns(name:oid): dependent_id:26, owner_id:26, owner_subobject_id:23
select Dep.objid as dependent_id, Dep.refobjid as owner_id, Dep.refobjsubid as owner_subobject_id
from pg_depend Dep
where Dep.deptype in ('a', 'i') and Dep.classid = 'pg_class'::regclass::oid and Dep.refobjsubid != 0 and Dep.refclassid = 'pg_class'::regclass::oid
order by owner_id

-- name: datagrip / schema #17
-- columns(name:oid): object_id:26, acl:1034
select T.oid as object_id, T.relacl as acl from pg_catalog.pg_class T where T.relnamespace = '@oid:schema:lake@'::oid and T.relacl is not null
union all
select T.oid as object_id, T.proacl as acl from pg_catalog.pg_proc T where T.pronamespace = '@oid:schema:lake@'::oid and T.proacl is not null
order by object_id

-- name: datagrip / schema #18
-- columns(name:oid): id:26, state_number:28, name:19, event:19, routine_id:26, fire_mode:18, tags:1009
select event_trigger.oid as id, event_trigger.xmin as state_number, event_trigger.evtname as name, event_trigger.evtevent as event, event_trigger.evtfoid as routine_id, event_trigger.evtenabled as fire_mode, event_trigger.evttags as tags
from pg_catalog.pg_event_trigger as event_trigger

-- name: datagrip / types #1
-- columns(name:oid): is_array:16, typtype:18, typname:19, oid:26
SELECT typinput='pg_catalog.array_in'::regproc as is_array, typtype, typname, pg_type.oid
  FROM pg_catalog.pg_type
  LEFT JOIN (select ns.oid as nspoid, ns.nspname, r.r
          from pg_namespace as ns
          join ( select s.r, (current_schemas(false))[s.r] as nspname
                   from generate_series(1, array_upper(current_schemas(false), 1)) as s(r) ) as r
         using ( nspname )
       ) as sp
    ON sp.nspoid = typnamespace
 WHERE pg_type.oid = '28'
 ORDER BY sp.r, pg_type.oid DESC

-- name: datagrip / types #2
-- columns(name:oid): typdelim:18
SELECT e.typdelim FROM pg_catalog.pg_type t, pg_catalog.pg_type e WHERE t.oid = '1034' and t.typelem = e.oid

-- name: datagrip / types #3
-- columns(name:oid): oid:26, ?column?:16, nspname:19, typname:19
SELECT e.oid, n.nspname = ANY(current_schemas(true)), n.nspname, e.typname FROM pg_catalog.pg_type t JOIN pg_catalog.pg_type e ON t.typelem = e.oid JOIN pg_catalog.pg_namespace n ON t.typnamespace = n.oid WHERE t.oid = '1034'

-- name: datagrip / data #1
-- columns(name:oid): time:1184, station:25, temp:701, humidity:700, pressure:1700, n:23, big:20, ok:16, day:1082, tags:1009
SELECT t.* FROM public.weather t LIMIT 501

-- name: datagrip / data #2
-- columns(name:oid): station:25, name:1043, lat:701, ctid:27
SELECT t.*, CTID FROM lake.stations t LIMIT 501
