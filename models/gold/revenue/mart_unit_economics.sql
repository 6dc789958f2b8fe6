-- Grain: one row per month, cut (all, plan, channel) and value: what a customer pays, how fast customers leave, and what one is
-- worth. Churn is that of three months together, so that a quiet month does not make a customer worth the world; without
-- any churn the value is null, and no customer counts for more than 60 months.
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

rated as (

    select
        base.*,
        {{ rate('base.closing_usd', 'base.closing_customers', 2) }} as arpa_usd,
        {{ rate('base.new_usd', 'base.new_customers', 2) }} as arpa_new_usd,
        {{ rate('base.churned_3m', 'base.opening_3m') }} as monthly_churn_rate,
        case when base.cut = 'all' then {{ rate('base.closing_usd', 'active.active_users', 2) }} end as arpu_usd
    from base
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
    {{ var('gross_margin_rate') }}::numeric as gross_margin_rate,
    case when monthly_churn_rate > 0 then round(least(1 / monthly_churn_rate, 60), 2) end as lifetime_months,
    case when monthly_churn_rate > 0 then round(arpa_usd * least(1 / monthly_churn_rate, 60), 2) end as ltv_simple_usd,
    case
        when monthly_churn_rate > 0
            then round(arpa_usd * {{ var('gross_margin_rate') }} * least(1 / monthly_churn_rate, 60), 2)
    end as ltv_margin_usd
from rated
