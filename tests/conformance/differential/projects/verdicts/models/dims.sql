select 'a' as kind, 1 as sort union all select 'b', 2
