select 1 as one
union all
select * from {{ ref('b') }}
