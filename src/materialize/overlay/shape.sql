-- What a live table demands of the rows that come into it, as one JSON document.
-- Parameters, both text: $1 the live table, $2 the staged delta (as regclass reads them).
with live as (
  select c.*, n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.oid = $1::text::regclass
),
columns as (
  select t.attrelid, t.attnum, t.attname as name, format_type(t.atttypid, t.atttypmod) as type,
    case when t.attcollation <> y.typcollation then
      (select format('%I.%I', n.nspname, l.collname) from pg_collation l
       join pg_namespace n on n.oid = l.collnamespace where l.oid = t.attcollation)
    end as collation,
    t.attnotnull as not_null, t.attidentity = 'a' as identity_always,
    t.attgenerated <> '' as generated,
    case when t.attgenerated <> '' then null
      when t.attidentity <> '' then format('nextval(%L::regclass)',
        pg_get_serial_sequence(t.attrelid::regclass::text, t.attname))
      when t.atthasdef then pg_get_expr(e.adbin, t.attrelid)
      else pg_get_expr(y.typdefaultbin, 0) end as fills
  from pg_attribute t join pg_type y on y.oid = t.atttypid
  left join pg_attrdef e on e.adrelid = t.attrelid and e.adnum = t.attnum
  where t.attrelid in ($1::text::regclass, $2::text::regclass)
    and t.attnum > 0 and not t.attisdropped
)
select json_build_object(
  'unlogged', l.relpersistence = 'u',
  'options', coalesce(to_json(l.reloptions), '[]'::json),
  'may_write', has_table_privilege(l.oid, 'insert') and has_table_privilege(l.oid, 'update')
    and has_table_privilege(l.oid, 'delete') and has_table_privilege(l.oid, 'select'),
  'columns', (select coalesce(json_agg(to_json(k) order by k.attnum), '[]'::json)
    from columns k where k.attrelid = l.oid),
  'delta', (select coalesce(json_agg(to_json(k) order by k.attnum), '[]'::json)
    from columns k where k.attrelid = $2::text::regclass),
  'checks', (select coalesce(json_agg(json_build_object('name', k.conname,
      'holds', pg_get_expr(k.conbin, k.conrelid)) order by k.conname), '[]'::json)
    from pg_constraint k where k.conrelid = l.oid and k.contype = 'c'),
  'uniques', (select coalesce(json_agg(json_build_object(
      'name', x.relname,
      'keys', (select json_agg(json_build_object(
          'sql', case when t.attname is null then '(' || pg_get_indexdef(i.indexrelid, p.n, true) || ')'
            else quote_ident(t.attname) end,
          'column', t.attname) order by p.n)
        from generate_series(1, i.indnkeyatts) as p (n)
        left join pg_attribute t on t.attrelid = l.oid and t.attnum = i.indkey[p.n - 1] and t.attnum > 0),
      'where', pg_get_expr(i.indpred, i.indrelid),
      'nulls_equal', coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false))
      order by x.relname), '[]'::json)
    from pg_index i join pg_class x on x.oid = i.indexrelid
    where i.indrelid = l.oid and i.indisunique and i.indisvalid),
  'foreign_keys', (select coalesce(json_agg(json_build_object(
      'name', k.conname, 'schema', n.nspname, 'table', r.relname,
      'full', k.confmatchtype = 'f',
      'columns', (select json_agg(t.attname order by p.n) from unnest(k.conkey) with ordinality as p (a, n)
        join pg_attribute t on t.attrelid = k.conrelid and t.attnum = p.a),
      'referenced', (select json_agg(t.attname order by p.n) from unnest(k.confkey) with ordinality as p (a, n)
        join pg_attribute t on t.attrelid = k.confrelid and t.attnum = p.a)) order by k.conname), '[]'::json)
    from pg_constraint k join pg_class r on r.oid = k.confrelid join pg_namespace n on n.oid = r.relnamespace
    where k.conrelid = l.oid and k.contype = 'f' and k.conparentid = 0),
  'referenced_by', (select coalesce(json_agg(json_build_object(
      'name', k.conname, 'schema', n.nspname, 'table', r.relname,
      'deferrable', k.condeferrable,
      'columns', (select json_agg(t.attname order by p.n) from unnest(k.conkey) with ordinality as p (a, n)
        join pg_attribute t on t.attrelid = k.conrelid and t.attnum = p.a),
      'referenced', (select json_agg(t.attname order by p.n) from unnest(k.confkey) with ordinality as p (a, n)
        join pg_attribute t on t.attrelid = k.confrelid and t.attnum = p.a)) order by k.conname), '[]'::json)
    from pg_constraint k join pg_class r on r.oid = k.conrelid join pg_namespace n on n.oid = r.relnamespace
    where k.confrelid = l.oid and k.conrelid <> l.oid and k.contype = 'f' and k.conparentid = 0
      and k.confdeltype in ('a', 'r')),
  'indexes', (select coalesce(json_agg(json_build_object(
      'constraint', k.conname,
      'definition', pg_get_constraintdef(k.oid),
      'unique', i.indisunique,
      'name', x.relname,
      'tail', substr(pg_get_indexdef(i.indexrelid), 1 + length(format('CREATE %sINDEX %I ON %s%I.%I',
        case when i.indisunique then 'UNIQUE ' else '' end, x.relname,
        case when l.relkind = 'p' then 'ONLY ' else '' end, l.nspname, l.relname)))) order by x.relname), '[]'::json)
    from pg_index i join pg_class x on x.oid = i.indexrelid
    left join pg_constraint k on k.conindid = x.oid and k.contype in ('p', 'u', 'x') and k.conrelid = l.oid
    where i.indrelid = l.oid and i.indisvalid),
  'links', (select coalesce(json_agg(json_build_object('name', k.conname,
      'definition', pg_get_constraintdef(k.oid)) order by k.conname), '[]'::json)
    from pg_constraint k where k.conrelid = l.oid and k.contype = 'f' and k.conparentid = 0
      and k.confrelid <> l.oid),
  'sequences', (select coalesce(json_agg(json_build_object(
      'name', s.relname, 'schema', n.nspname, 'column', t.attname, 'identity', d.deptype = 'i',
      'definition', format('as %s increment by %s minvalue %s maxvalue %s start with %s cache %s%s',
        format_type(q.seqtypid, null), q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache,
        case when q.seqcycle then ' cycle' else '' end)) order by s.relname), '[]'::json)
    from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S'
    join pg_namespace n on n.oid = s.relnamespace
    join pg_sequence q on q.seqrelid = s.oid
    join pg_attribute t on t.attrelid = l.oid and t.attnum = d.refobjsubid
    where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass
      and d.refobjid = l.oid and d.deptype in ('a', 'i') and d.refobjsubid > 0)
)::text as shape
from live l
