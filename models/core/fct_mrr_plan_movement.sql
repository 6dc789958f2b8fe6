{{ config(indexes=[
    {'columns': ['customer_id', 'month_start', 'plan_id'], 'unique': true},
    {'columns': ['month_start', 'plan_id']}
]) }}

-- Grain: one row per customer, month and plan with MRR at the month's beginning or end. Money that goes from one plan to
-- another of the same customer is a transfer; what is left over is the customer's own movement. Transfers of a customer
-- month sum to zero, since both sides are filled up to the same amount, plan by plan.
with balance as (

    select
        mrr.customer_id,
        mrr.month_start,
        mrr.plan_id,
        0.00 as opening_usd,
        mrr.mrr_net_usd as closing_usd
    from {{ ref('fct_mrr_subscription_month') }} as mrr
    where mrr.mrr_net_usd > 0
    union all
    select
        mrr.customer_id,
        next_month.month_start,
        mrr.plan_id,
        mrr.mrr_net_usd as opening_usd,
        0.00 as closing_usd
    from {{ ref('fct_mrr_subscription_month') }} as mrr
    inner join {{ ref('dim_month') }} as month on month.month_start = mrr.month_start
    inner join {{ ref('dim_month') }} as next_month on next_month.month_start = month.month_end
    where mrr.mrr_net_usd > 0

),

plan_month as (

    select
        customer_id,
        month_start,
        plan_id,
        sum(opening_usd) as opening_usd,
        sum(closing_usd) as closing_usd,
        greatest(sum(closing_usd) - sum(opening_usd), 0) as gained_usd,
        greatest(sum(opening_usd) - sum(closing_usd), 0) as lost_usd
    from balance
    group by customer_id, month_start, plan_id

),

summed as (

    select
        plan_month.*,
        least(sum(gained_usd) over whole, sum(lost_usd) over whole) as transferred_usd,
        sum(gained_usd) over up_to_here as gained_up_to_here_usd,
        sum(lost_usd) over up_to_here as lost_up_to_here_usd
    from plan_month
    window
        whole as (partition by customer_id, month_start),
        up_to_here as (partition by customer_id, month_start order by plan_id)

),

split as (

    select
        summed.*,
        least(gained_up_to_here_usd, transferred_usd)
        - least(gained_up_to_here_usd - gained_usd, transferred_usd) as transfer_in_usd,
        least(lost_up_to_here_usd, transferred_usd)
        - least(lost_up_to_here_usd - lost_usd, transferred_usd) as transfer_out_usd
    from summed

)

select
    split.customer_id,
    split.month_start,
    split.plan_id,
    movement.movement_type,
    movement.churn_kind,
    split.opening_usd,
    split.closing_usd,
    split.transfer_in_usd,
    split.transfer_out_usd,
    split.gained_usd - split.transfer_in_usd as gained_usd,
    split.lost_usd - split.transfer_out_usd as lost_usd
from split
inner join {{ ref('fct_mrr_movement') }} as movement
    on movement.customer_id = split.customer_id and movement.month_start = split.month_start
