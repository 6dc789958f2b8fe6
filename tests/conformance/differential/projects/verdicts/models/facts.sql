select 1 as id, 'a' as kind, 10 as n union all select 2, 'b', null union all select 2, 'c', 30 union all select null, 'a', -1
