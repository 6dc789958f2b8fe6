-- Grain: one row per month, cut (all, plan, channel) and value: what a customer pays, how fast customers leave, and what one is
-- worth. Churn is that of three months together, so that a quiet month does not make a customer worth the world; without
-- any churn the value is null, and no customer counts for more than 60 months. Spend is known by channel and blended, not by
-- plan; a month that won nobody has no CAC.
with base as (

    select
        movements.month_start,
        movements.cut,
        movements.cut_value,
        movements.is_closed,
        movements.opening_customers,
        movements.closing_customers,
        movements.new_customers,
        movements.new_usd,
        movements.churned_customers,
        movements.closing_usd,
        sum(movements.churned_customers) over three_months as churned_3m,
        sum(movements.opening_customers) over three_months as opening_3m
    from {{ ref('mart_mrr_movements') }} as movements
    where movements.cut in ('all', 'plan', 'channel')
    window three_months as (
        partition by movements.cut, movements.cut_value
        order by movements.month_start rows between 2 preceding and current row
    )

),

active as (

    select
        month_start,
        count(distinct user_id) as active_users
    from {{ ref('int_user_month_event') }}
    where is_core_action
    group by month_start

),

-- Of months whose costs are not booked yet the var stands in for the margin.
spent as (

    select
        economics.month_start,
        case economics.channel when 'ALL' then 'all' else 'channel' end as cut,
        economics.channel as cut_value,
        economics.spend_usd
    from {{ ref('int_month_economics') }} as economics

),

margin as (

    select
        month_start,
        gross_margin_rate
    from {{ ref('int_month_economics') }}
    where channel = 'ALL' and gross_margin_rate is not null

),

rated as (

    select
        base.*,
        {{ rate('base.closing_usd', 'base.closing_customers', 2) }} as arpa_usd,
        {{ rate('base.new_usd', 'base.new_customers', 2) }} as arpa_new_usd,
        {{ rate('base.churned_3m', 'base.opening_3m') }} as monthly_churn_rate,
        case when base.cut = 'all' then {{ rate('base.closing_usd', 'active.active_users', 2) }} end as arpu_usd,
        margin.gross_margin_rate is not null as is_margin_booked,
        coalesce(margin.gross_margin_rate, {{ var('gross_margin_rate') }}::numeric) as gross_margin_rate,
        spent.spend_usd,
        {{ rate('spent.spend_usd', 'base.new_customers', 2) }} as cac_usd
    from base
    left join margin on margin.month_start = base.month_start
    left join spent
        on spent.month_start = base.month_start and spent.cut = base.cut and spent.cut_value = base.cut_value
    left join active on active.month_start = base.month_start

)

select
    month_start,
    cut,
    cut_value,
    is_closed,
    closing_customers as paying_customers,
    new_customers,
    closing_usd as mrr_net_usd,
    closing_usd * 12 as arr_usd,
    arpa_usd,
    arpa_new_usd,
    arpu_usd,
    monthly_churn_rate,
    gross_margin_rate,
    is_margin_booked,
    case when monthly_churn_rate > 0 then round(least(1 / monthly_churn_rate, 60), 2) end as lifetime_months,
    case when monthly_churn_rate > 0 then round(arpa_usd * least(1 / monthly_churn_rate, 60), 2) end as ltv_simple_usd,
    case
        when monthly_churn_rate > 0
            then round(arpa_usd * gross_margin_rate * least(1 / monthly_churn_rate, 60), 2)
    end as ltv_margin_usd,
    spend_usd,
    cac_usd,
    {{ rate('cac_usd', 'arpa_new_usd * gross_margin_rate', 2) }} as payback_months,
    case
        when monthly_churn_rate > 0
            then {{ rate('arpa_usd * gross_margin_rate * least(1 / monthly_churn_rate, 60)', 'cac_usd', 2) }}
    end as ltv_to_cac
from rated
