{{ config(indexes=[{'columns': ['customer_id', 'due_month'], 'unique': true}]) }}

-- Grain: one row per customer and month in which an automatic charge was due and tried: the instant from which to watch
-- for churn. With a failure that month (exposed) it is the first failure, without one (control) the first payment.
with charged as (

    select
        customer_id,
        due_month,
        bool_or(failed_attempts > 0) as is_exposed,
        min(first_failed_at) as first_failed_at,
        min(paid_at) as first_paid_at,
        (array_agg(invoice_id order by first_failed_at nulls last, due_at, invoice_id))[1] as invoice_id
    from {{ ref('fct_invoice') }}
    where is_attempted
    group by customer_id, due_month

),

landmark as (

    select
        charged.customer_id,
        charged.due_month,
        charged.is_exposed,
        invoice.invoice_id,
        invoice.plan_id,
        invoice.billing_interval,
        case when charged.is_exposed then charged.first_failed_at else charged.first_paid_at end as landmark_at,
        (
            extract(year from age(charged.due_month::timestamp, date_trunc('month', customer.first_activated_date::timestamp))) * 12
            + extract(month from age(charged.due_month::timestamp, date_trunc('month', customer.first_activated_date::timestamp)))
        )::integer as tenure_months
    from charged
    inner join {{ ref('fct_invoice') }} as invoice on invoice.invoice_id = charged.invoice_id
    inner join {{ ref('dim_customer') }} as customer on customer.customer_id = charged.customer_id

),

churn as (

    select
        landmark.customer_id,
        landmark.due_month,
        min(event.occurred_at) as churned_at,
        min(event.occurred_at) filter (where event.churn_kind = 'voluntary') as voluntary_churned_at,
        min(event.occurred_at) filter (where event.churn_kind = 'involuntary') as involuntary_churned_at
    from landmark
    inner join {{ ref('stg_churn_events') }} as event
        on event.customer_id = landmark.customer_id and event.occurred_at > landmark.landmark_at
    where event.event_type = 'churned'
    group by landmark.customer_id, landmark.due_month

)

select
    landmark.customer_id,
    landmark.due_month,
    landmark.is_exposed,
    landmark.invoice_id,
    landmark.plan_id,
    landmark.billing_interval,
    landmark.tenure_months,
    case
        when landmark.tenure_months < 1 or landmark.tenure_months is null then '0'
        when landmark.tenure_months < 3 then '1-2'
        when landmark.tenure_months < 6 then '3-5'
        when landmark.tenure_months < 12 then '6-11'
        else '12+'
    end as tenure_band,
    landmark.landmark_at,
    churn.churned_at,
    churn.voluntary_churned_at,
    churn.involuntary_churned_at
from landmark
left join churn on churn.customer_id = landmark.customer_id and churn.due_month = landmark.due_month
where landmark.landmark_at is not null
