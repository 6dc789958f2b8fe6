{{ config(indexes=[{'columns': ['month_start', 'channel'], 'unique': true}]) }}

-- Grain: one row per month and acquisition channel, and one per month with channel ALL: what was spent on sales and marketing and,
-- for ALL, what it cost to serve. The margin is null until the month's costs are booked.
with spent as (

    select
        month_start,
        coalesce(channel, 'ALL') as channel,
        sum(amount_usd) as spend_usd
    from {{ ref('stg_marketing_spend') }}
    group by grouping sets ((month_start, channel), (month_start))

),

cost as (

    select
        month_start,
        sum(amount_usd) as cogs_usd
    from {{ ref('stg_cogs') }}
    group by month_start

),

-- What was served in a month is worth the MRR in its middle, as good as we know it.
served as (

    select
        month_start,
        sum(opening_usd + closing_usd) / 2 as served_usd
    from {{ ref('fct_mrr_movement') }}
    group by month_start

)

select
    spent.month_start,
    spent.channel,
    spent.spend_usd,
    case when spent.channel = 'ALL' then cost.cogs_usd end as cogs_usd,
    case
        -- `greatest` would take a missing cost for all of it.
        when spent.channel = 'ALL' and served.served_usd > 0 and cost.cogs_usd is not null
            then round(greatest(1 - cost.cogs_usd / served.served_usd, 0), 4)
    end as gross_margin_rate
from spent
left join cost on cost.month_start = spent.month_start
left join served on served.month_start = spent.month_start
