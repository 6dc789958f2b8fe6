with moved as (
    select * from {{ ref('movements') }}
)
select
    cut,
    sum(closing_usd) as mrr_usd,
    avg(closing_usd) as mean_mrr_usd
from moved
group by cut
