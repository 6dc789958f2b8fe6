{{ config(indexes=[
    {'columns': ['customer_id', 'effective_at'], 'unique': true},
    {'columns': ['month_start']}
]) }}

-- Grain: one row per customer and instant at which its MRR after discounts changed: the gross ledger, which also shows
-- what a month end hides. Changes of one instant count together, so replacing a subscription is not churn and return.
with bearing as (

    select
        subscription_id,
        customer_id,
        plan_id,
        billing_interval,
        price_id,
        quantity,
        discount_id,
        valid_from,
        valid_to,
        mrr_net_usd
    from {{ ref('int_subscription_version') }}
    where bears_mrr

),

in_order as (

    select
        bearing.*,
        lag(valid_to) over versions = valid_from as continues,
        lag(mrr_net_usd) over versions as before_usd,
        lag(plan_id) over versions as before_plan_id,
        lag(billing_interval) over versions as before_interval,
        lag(quantity) over versions as before_quantity,
        lag(discount_id) over versions as before_discount_id,
        lead(valid_from) over versions as next_from
    from bearing
    window versions as (partition by subscription_id order by valid_from)

),

change as (

    select
        customer_id,
        subscription_id,
        plan_id,
        valid_from as effective_at,
        mrr_net_usd - case when continues then before_usd else 0 end as delta_usd,
        case
            when not coalesce(continues, false) then 'add_on'
            when plan_id <> before_plan_id then 'tier'
            when billing_interval <> before_interval then 'interval'
            when quantity <> before_quantity then 'seats'
            when discount_id is distinct from before_discount_id then 'discount'
            else 'price'
        end as driver
    from in_order
    union all
    select
        customer_id,
        subscription_id,
        plan_id,
        valid_to as effective_at,
        -mrr_net_usd as delta_usd,
        'add_on' as driver
    from in_order
    where valid_to is not null and valid_to is distinct from next_from

),

instant as (

    select
        change.customer_id,
        change.effective_at,
        sum(change.delta_usd) as delta_usd,
        count(distinct change.subscription_id)::integer as subscriptions_changed,
        -- A change is named after its largest part.
        (array_agg(change.driver order by abs(change.delta_usd) desc, change.subscription_id))[1] as driver,
        (array_agg(change.plan_id order by abs(change.delta_usd) desc, change.subscription_id, change.delta_usd desc))[1] as plan_id
    from change
    cross join {{ ref('as_of') }} as as_of
    where change.effective_at < as_of.as_of_at
    group by change.customer_id, change.effective_at

),

running as (

    select
        instant.*,
        sum(delta_usd) over (partition by customer_id order by effective_at) as closing_usd
    from instant
    where delta_usd <> 0

),

opened as (

    select
        running.*,
        closing_usd - delta_usd as opening_usd,
        -- MRR never falls below zero, so a row before this one means that it was above zero before.
        row_number() over (partition by customer_id order by effective_at) = 1 as is_first
    from running

)

select
    customer_id,
    effective_at,
    month.month_start,
    plan_id,
    subscriptions_changed,
    opening_usd,
    delta_usd,
    closing_usd,
    case
        when opening_usd = 0 and is_first then 'new'
        when opening_usd = 0 then 'reactivation'
        when closing_usd = 0 then 'churn'
        when delta_usd > 0 then 'expansion'
        else 'contraction'
    end as movement_type,
    case when opening_usd > 0 and closing_usd > 0 then driver end as driver
from opened
inner join {{ ref('dim_month') }} as month
    on opened.effective_at >= month.month_start_at and opened.effective_at < month.month_end_at
