{{ config(indexes=[
    {'columns': ['customer_id', 'month_start'], 'unique': true},
    {'columns': ['month_start']}
]) }}

-- Grain: one row per customer and month that it opened or closed with MRR after discounts above zero: the net ledger.
with balance as (

    select
        customer_id,
        month_start,
        mrr_net_usd as closing_usd,
        0.00 as opening_usd
    from {{ ref('fct_mrr_customer_month') }}
    where mrr_net_usd > 0
    union all
    select
        mrr.customer_id,
        next_month.month_start,
        0.00 as closing_usd,
        mrr.mrr_net_usd as opening_usd
    from {{ ref('fct_mrr_customer_month') }} as mrr
    inner join {{ ref('dim_month') }} as month on month.month_start = mrr.month_start
    inner join {{ ref('dim_month') }} as next_month on next_month.month_start = month.month_end
    where mrr.mrr_net_usd > 0

),

customer_month as (

    select
        customer_id,
        month_start,
        sum(opening_usd) as opening_usd,
        sum(closing_usd) as closing_usd
    from balance
    group by customer_id, month_start

),

first_mrr as (

    select
        customer_id,
        min(month_start) as first_month
    from {{ ref('fct_mrr_event') }}
    group by customer_id

),

-- What moved a customer most within the month, in the direction in which the month went.
driver as (

    select distinct on (customer_id, month_start, sign(delta_usd))
        customer_id,
        month_start,
        sign(delta_usd) as direction,
        driver
    from {{ ref('fct_mrr_event') }}
    where driver is not null
    order by customer_id, month_start, sign(delta_usd), abs(delta_usd) desc, effective_at desc

),

last_churn as (

    select distinct on (customer_id, occurred_month)
        customer_id,
        occurred_month as month_start,
        churn_kind
    from {{ ref('stg_churn_events') }}
    where event_type = 'churned'
    order by customer_id, occurred_month, occurred_at desc, event_id

),

typed as (

    select
        customer_month.customer_id,
        customer_month.month_start,
        customer_month.opening_usd,
        customer_month.closing_usd,
        customer_month.closing_usd - customer_month.opening_usd as delta_usd,
        case
            when customer_month.opening_usd = 0 and first_mrr.first_month = customer_month.month_start then 'new'
            when customer_month.opening_usd = 0 then 'reactivation'
            when customer_month.closing_usd = 0 then 'churn'
            when customer_month.closing_usd > customer_month.opening_usd then 'expansion'
            when customer_month.closing_usd < customer_month.opening_usd then 'contraction'
            else 'none'
        end as movement_type
    from customer_month
    left join first_mrr on first_mrr.customer_id = customer_month.customer_id

)

select
    typed.customer_id,
    typed.month_start,
    typed.opening_usd,
    typed.closing_usd,
    typed.delta_usd,
    typed.movement_type,
    case when typed.movement_type in ('expansion', 'contraction') then coalesce(driver.driver, 'mixed') end as driver,
    case when typed.movement_type = 'churn' then coalesce(last_churn.churn_kind, 'other') end as churn_kind
from typed
left join driver
    on driver.customer_id = typed.customer_id
    and driver.month_start = typed.month_start
    and driver.direction = sign(typed.delta_usd)
left join last_churn
    on last_churn.customer_id = typed.customer_id and last_churn.month_start = typed.month_start
