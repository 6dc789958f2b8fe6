-- Grain: one row per month, cut (all, plan, channel) and value: what a customer pays, how fast customers leave, and what one is
-- worth. Churn is that of three months together, so that a quiet month does not make a customer worth the world; without
-- any churn the value is null, and no customer counts for more than 60 months. Spend is known by channel and blended, not by
-- plan; a month that won nobody has no CAC.
with spent as (

    select
        month_start,
        case channel when 'ALL' then 'all' else 'channel' end as cut,
        channel as cut_value,
        spend_usd
    from {{ ref('int_month_economics') }}

),

-- A channel can cost money before it has won its first customer.
moved as (

    select
        coalesce(movements.month_start, spent.month_start) as month_start,
        coalesce(movements.cut, spent.cut) as cut,
        coalesce(movements.cut_value, spent.cut_value) as cut_value,
        coalesce(movements.opening_customers, 0) as opening_customers,
        coalesce(movements.closing_customers, 0) as closing_customers,
        coalesce(movements.new_customers, 0) as new_customers,
        coalesce(movements.new_usd, 0.00) as new_usd,
        coalesce(movements.churned_customers, 0) as churned_customers,
        coalesce(movements.closing_usd, 0.00) as closing_usd,
        spent.spend_usd
    from {{ ref('mart_mrr_movements') }} as movements
    full join spent
        on spent.month_start = movements.month_start
        and spent.cut = movements.cut
        and spent.cut_value = movements.cut_value
    where coalesce(movements.cut, spent.cut) in ('all', 'plan', 'channel')

),

base as (

    select
        moved.*,
        month.is_closed,
        sum(moved.churned_customers) over three_months as churned_3m,
        sum(moved.opening_customers) over three_months as opening_3m
    from moved
    inner join {{ ref('dim_month') }} as month on month.month_start = moved.month_start
    window three_months as (
        partition by moved.cut, moved.cut_value
        order by moved.month_start rows between 2 preceding and current row
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
        {{ rate('base.spend_usd', 'base.new_customers', 2) }} as cac_usd
    from base
    left join margin on margin.month_start = base.month_start
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
