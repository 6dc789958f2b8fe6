-- What was spent is nowhere lost: the channels of a month add up to the total, and both to the raw rows.
with mart as (

    select
        month_start,
        sum(spend_usd) filter (where cut = 'all') as total_usd,
        sum(spend_usd) filter (where cut = 'channel') as by_channel_usd
    from {{ ref('mart_unit_economics') }}
    group by month_start

),

raw as (

    select
        date_trunc('month', spent_on)::date as month_start,
        sum(amount) / 100.0 as raw_usd
    from {{ source('raw', 'marketing_spend') }}
    group by date_trunc('month', spent_on)::date

)

select
    mart.*,
    raw.raw_usd
from mart
full join raw on raw.month_start = mart.month_start
where (mart.total_usd, mart.by_channel_usd) is distinct from (raw.raw_usd, raw.raw_usd)
