{{ config(indexes=[{'columns': ['customer_id', 'month_start'], 'unique': true}, {'columns': ['month_start']}]) }}

-- Grain: one row per customer and month from its signup to the as-of month, months without anything included.
with spine as (

    select
        customer.customer_id,
        month.month_start,
        month.month_end,
        month.is_closed,
        customer.first_activated_date,
        -- Days of the month in which the customer was with us and the data reaches.
        least(month.month_end, as_of.as_of_date) - greatest(month.month_start, customer.signup_date) as covered_days
    from {{ ref('dim_customer') }} as customer
    inner join {{ ref('dim_month') }} as month on month.month_start >= customer.signup_month
    cross join {{ ref('as_of') }} as as_of

),

subscribed as (

    select distinct
        version.customer_id,
        month.month_start
    from {{ ref('int_subscription_version') }} as version
    inner join {{ ref('dim_month') }} as month
        on version.valid_from < month.snapshot_at
        and (version.valid_to is null or version.valid_to > month.month_start_at)
    where version.bears_mrr

),

invoiced as (

    select
        customer_id,
        due_month as month_start,
        count(*) filter (where is_billed)::integer as invoices_billed,
        count(*) filter (where is_attempted)::integer as invoices_attempted,
        count(*) filter (where is_attempted and is_first_attempt_failed)::integer as first_attempt_failures,
        sum(billed_usd) as billed_usd,
        sum(collected_usd) as collected_usd,
        sum(collected_usd - refunded_usd - lost_disputes_usd) as collected_net_usd
    from {{ ref('fct_invoice') }}
    group by customer_id, due_month

),

used as (

    select
        customer_id,
        date_trunc('month', activity_date::timestamp)::date as month_start,
        count(distinct user_id) filter (where is_active)::integer as active_users,
        count(*) filter (where is_active)::integer as active_user_days,
        count(distinct activity_date) filter (where is_active)::integer as active_days,
        sum(core_actions)::bigint as core_actions,
        sum(sessions)::bigint as sessions,
        sum(cancel_page_views)::integer as cancel_page_views
    from {{ ref('fct_user_day') }}
    group by customer_id, date_trunc('month', activity_date::timestamp)

),

left_us as (

    select
        customer_id,
        occurred_month as month_start,
        count(*) filter (where event_type = 'cancel_requested')::integer as cancel_requests,
        count(*) filter (where event_type = 'churned' and churn_kind = 'voluntary')::integer as voluntary_churns,
        count(*) filter (where event_type = 'churned' and churn_kind = 'involuntary')::integer as involuntary_churns,
        count(*) filter (where event_type = 'churned' and churn_kind = 'other')::integer as other_churns
    from {{ ref('stg_churn_events') }}
    group by customer_id, occurred_month

)

select
    spine.customer_id,
    spine.month_start,
    spine.is_closed,
    spine.covered_days,
    (
        extract(year from age(spine.month_start::timestamp, date_trunc('month', spine.first_activated_date::timestamp))) * 12
        + extract(month from age(spine.month_start::timestamp, date_trunc('month', spine.first_activated_date::timestamp)))
    )::integer as tenure_months,
    subscribed.customer_id is not null as is_subscribed,
    mrr.plan_id,
    mrr.billing_interval,
    coalesce(mrr.subscriptions, 0) as subscriptions,
    coalesce(mrr.seats, 0) as seats,
    coalesce(mrr.mrr_list_usd, 0.00) as mrr_list_usd,
    coalesce(mrr.mrr_net_usd, 0.00) as mrr_net_usd,
    coalesce(invoiced.invoices_billed, 0) as invoices_billed,
    coalesce(invoiced.invoices_attempted, 0) as invoices_attempted,
    coalesce(invoiced.first_attempt_failures, 0) as first_attempt_failures,
    coalesce(invoiced.billed_usd, 0.00) as billed_usd,
    coalesce(invoiced.collected_usd, 0.00) as collected_usd,
    coalesce(invoiced.collected_net_usd, 0.00) as collected_net_usd,
    coalesce(used.active_users, 0) as active_users,
    coalesce(used.active_user_days, 0) as active_user_days,
    coalesce(used.active_days, 0) as active_days,
    coalesce(used.core_actions, 0) as core_actions,
    coalesce(used.sessions, 0) as sessions,
    coalesce(used.cancel_page_views, 0) as cancel_page_views,
    coalesce(left_us.cancel_requests, 0) as cancel_requests,
    coalesce(used.cancel_page_views, 0) > 0 or coalesce(left_us.cancel_requests, 0) > 0 as has_cancel_intent,
    coalesce(left_us.voluntary_churns, 0) as voluntary_churns,
    coalesce(left_us.involuntary_churns, 0) as involuntary_churns,
    coalesce(left_us.other_churns, 0) as other_churns
from spine
left join subscribed on subscribed.customer_id = spine.customer_id and subscribed.month_start = spine.month_start
left join {{ ref('fct_mrr_customer_month') }} as mrr
    on mrr.customer_id = spine.customer_id and mrr.month_start = spine.month_start
left join invoiced on invoiced.customer_id = spine.customer_id and invoiced.month_start = spine.month_start
left join used on used.customer_id = spine.customer_id and used.month_start = spine.month_start
left join left_us on left_us.customer_id = spine.customer_id and left_us.month_start = spine.month_start
