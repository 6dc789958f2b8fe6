{{ config(indexes=[{'columns': ['customer_id', 'month_start'], 'unique': true}]) }}

-- Grain: one row per customer and month that it opened with MRR: what was known at the month's beginning, strictly before it,
-- and whether the customer left of its own will in the 60 days from then on (null: not yet seen).
with opened as (

    select
        movement.customer_id,
        movement.month_start,
        month.month_start_at,
        (month.month_start - interval '1 month')::date as previous_month,
        month.month_start_at + interval '60 days' <= as_of.as_of_at as is_observable
    from {{ ref('fct_mrr_movement') }} as movement
    inner join {{ ref('dim_month') }} as month on month.month_start = movement.month_start
    cross join {{ ref('as_of') }} as as_of
    where movement.opening_usd > 0

),

left_us as (

    select
        opened.customer_id,
        opened.month_start,
        true as is_churned
    from opened
    inner join {{ ref('stg_churn_events') }} as event
        on event.customer_id = opened.customer_id
        and event.occurred_at >= opened.month_start_at
        and event.occurred_at < opened.month_start_at + interval '60 days'
    where event.event_type = 'churned' and event.churn_kind = 'voluntary'
    group by opened.customer_id, opened.month_start

)

select
    opened.customer_id,
    opened.month_start,
    known.plan_id,
    known.billing_interval,
    case
        when known.tenure_months < 2 then '0-1'
        when known.tenure_months < 6 then '2-5'
        when known.tenure_months < 12 then '6-11'
        else '12+'
    end as tenure_band,
    known.has_cancel_intent as had_cancel_intent,
    known.first_attempt_failures > 0 as had_payment_failure,
    opened.is_observable,
    case when opened.is_observable then coalesce(left_us.is_churned, false) end as churned_60d
from opened
-- The month before, at whose end the customer bore MRR, so it has a plan.
inner join {{ ref('fct_customer_month') }} as known
    on known.customer_id = opened.customer_id and known.month_start = opened.previous_month
left join left_us on left_us.customer_id = opened.customer_id and left_us.month_start = opened.month_start
