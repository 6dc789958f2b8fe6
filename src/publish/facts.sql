-- Everything that publishing must know of a live relation, as one JSON document.
-- Parameters, all text: $1 schema, $2 name, $3 the candidate (as regclass reads it) or null,
-- $4 whether views of views count too.
select json_build_object(
  'default_grants', (
    select coalesce(json_agg(json_build_object(
      'grantee', case when a.grantee = 0 then null else pg_get_userbyid(a.grantee) end,
      'privilege', a.privilege_type, 'grantable', a.is_grantable)), '[]'::json)
    from pg_default_acl d
    join pg_namespace n on n.oid = d.defaclnamespace, aclexplode(d.defaclacl) a
    where n.nspname = $1 and d.defaclobjtype = 'r'
      and d.defaclrole = (select oid from pg_roles where rolname = current_user)
      and a.grantee <> d.defaclrole),
  'candidate_columns', (
    select coalesce(json_agg(json_build_object('name', t.attname,
      'type', format_type(t.atttypid, t.atttypmod)) order by t.attnum), '[]'::json)
    from pg_attribute t
    where t.attrelid = $3::text::regclass and t.attnum > 0 and not t.attisdropped),
  'live', (
    select json_build_object(
      'oid', c.oid::bigint,
      'kind', c.relkind,
      'persistence', c.relpersistence,
      'owner', pg_get_userbyid(c.relowner),
      'owner_is_us', pg_get_userbyid(c.relowner) = current_user,
      'may_replace', pg_has_role(c.relowner, 'usage'),
      'grants', (
        select coalesce(json_agg(json_build_object(
          'grantee', case when a.grantee = 0 then null else pg_get_userbyid(a.grantee) end,
          'privilege', a.privilege_type, 'grantable', a.is_grantable)), '[]'::json)
        from aclexplode(c.relacl) a where a.grantee <> c.relowner),
      'column_grants', (
        select coalesce(json_agg(json_build_object('column', t.attname,
          'grantee', case when a.grantee = 0 then null else pg_get_userbyid(a.grantee) end,
          'privilege', a.privilege_type, 'grantable', a.is_grantable)), '[]'::json)
        from pg_attribute t, aclexplode(t.attacl) a
        where t.attrelid = c.oid and t.attnum > 0 and not t.attisdropped
          and a.grantee <> c.relowner),
      'comment', obj_description(c.oid, 'pg_class'),
      'columns', (
        select coalesce(json_agg(json_build_object('name', t.attname,
          'type', format_type(t.atttypid, t.atttypmod),
          'comment', col_description(c.oid, t.attnum)) order by t.attnum), '[]'::json)
        from pg_attribute t
        where t.attrelid = c.oid and t.attnum > 0 and not t.attisdropped),
      'views', (
        with recursive dependent as (
          select r.ev_class as child, 1 as depth
          from pg_depend d join pg_rewrite r on r.oid = d.objid
          where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass
            and d.refobjid = c.oid and r.ev_class <> c.oid
          union
          select r.ev_class, p.depth + 1
          from dependent p
          join pg_depend d on d.classid = 'pg_rewrite'::regclass
            and d.refclassid = 'pg_class'::regclass and d.refobjid = p.child
          join pg_rewrite r on r.oid = d.objid
          where $4::text::boolean and r.ev_class <> p.child
        )
        select coalesce(json_agg(json_build_object(
          'schema', n.nspname, 'name', v.relname, 'kind', v.relkind, 'depth', x.depth,
          'direct', x.direct,
          'owner', pg_get_userbyid(v.relowner),
          'owner_is_us', pg_get_userbyid(v.relowner) = current_user,
          'may_replace', pg_has_role(v.relowner, 'usage'),
          'definition', pg_get_viewdef(v.oid),
          'options', coalesce(to_json(v.reloptions), '[]'::json),
          'has_triggers', exists (select from pg_trigger g where g.tgrelid = v.oid)
            or exists (select from pg_rewrite g where g.ev_class = v.oid and g.rulename <> '_RETURN'),
          'grants', (
            select coalesce(json_agg(json_build_object(
              'grantee', case when a.grantee = 0 then null else pg_get_userbyid(a.grantee) end,
              'privilege', a.privilege_type, 'grantable', a.is_grantable)), '[]'::json)
            from aclexplode(v.relacl) a where a.grantee <> v.relowner),
          'column_grants', (
            select coalesce(json_agg(json_build_object('column', t.attname,
              'grantee', case when a.grantee = 0 then null else pg_get_userbyid(a.grantee) end,
              'privilege', a.privilege_type, 'grantable', a.is_grantable)), '[]'::json)
            from pg_attribute t, aclexplode(t.attacl) a
            where t.attrelid = v.oid and t.attnum > 0 and not t.attisdropped
              and a.grantee <> v.relowner),
          'comment', obj_description(v.oid, 'pg_class'),
          'columns', (
            select coalesce(json_agg(json_build_object('name', t.attname,
              'type', format_type(t.atttypid, t.atttypmod),
              'comment', col_description(v.oid, t.attnum)) order by t.attnum), '[]'::json)
            from pg_attribute t
            where t.attrelid = v.oid and t.attnum > 0 and not t.attisdropped)
        ) order by x.depth, v.oid), '[]'::json)
        from (select child, max(depth) as depth, bool_or(depth = 1) as direct
              from dependent group by child) x
        join pg_class v on v.oid = x.child
        join pg_namespace n on n.oid = v.relnamespace
        where v.relkind in ('v', 'm')),
      'referenced_key', (
        select coalesce(json_agg(t.attname order by p.place), '[]'::json)
        from (select k.conrelid, k.confkey from pg_constraint k
              where k.contype = 'f' and k.confrelid = c.oid and k.conparentid = 0
              order by k.oid limit 1) k,
          unnest(k.confkey) with ordinality as p (attnum, place)
        join pg_attribute t on t.attrelid = c.oid and t.attnum = p.attnum),
      'blockers', (
        select coalesce(json_agg(b.what order by b.what), '[]'::json) from (
          select 'foreign key ' || quote_ident(k.conname) || ' of ' || k.conrelid::regclass as what
          from pg_constraint k where k.contype = 'f' and k.confrelid = c.oid
          union all
          select 'foreign key ' || quote_ident(k.conname) || ' to ' || k.confrelid::regclass
          from pg_constraint k
          where k.contype = 'f' and k.conrelid = c.oid and k.conparentid = 0
            and not exists (
              select from pg_constraint o
              where o.conrelid = $3::text::regclass
                and pg_get_constraintdef(o.oid) = pg_get_constraintdef(k.oid))
          union all
          select 'row security' where c.relrowsecurity or exists (
            select from pg_policy p where p.polrelid = c.oid)
          union all
          select 'trigger ' || quote_ident(g.tgname) from pg_trigger g
          where g.tgrelid = c.oid and not g.tgisinternal
          union all
          select 'publication ' || quote_ident(p.pubname)
          from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
          where r.prrelid = c.oid
          union all
          select distinct 'function ' || d.objid::regprocedure from pg_depend d
          where d.classid = 'pg_proc'::regclass
            and ((d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid)
              or (d.refclassid = 'pg_type'::regclass and d.refobjid = c.reltype))
          union all
          select 'column of its row type in ' || d.objid::regclass from pg_depend d
          where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_type'::regclass
            and d.refobjid = c.reltype and d.objid <> c.oid and d.objsubid > 0
          union all
          select 'rule ' || quote_ident(r.rulename) || ' on ' || r.ev_class::regclass
          from pg_rewrite r join pg_class o on o.oid = r.ev_class
          where o.relkind not in ('v', 'm') and (r.ev_class = c.oid or exists (
            select from pg_depend d where d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
              and d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid))
          union all
          select distinct 'materialized view ' || r.ev_class::regclass
          from pg_depend d join pg_rewrite r on r.oid = d.objid
          join pg_class o on o.oid = r.ev_class
          where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass
            and d.refobjid = c.oid and o.relkind = 'm' and o.oid <> c.oid
          union all
          select 'extended statistics ' || quote_ident(s.stxname)
          from pg_statistic_ext s where s.stxrelid = c.oid
          union all
          select 'partition or inheritance' where c.relispartition or c.relkind = 'p' or exists (
            select from pg_inherits i where i.inhparent = c.oid or i.inhrelid = c.oid)
        ) b)
    )
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p', 'v', 'm', 'f'))
)::text as facts
