{{ config(indexes=[{'columns': ['customer_id', 'month_start'], 'unique': true}]) }}

-- Grain: one row per customer and month that it opened with MRR, as int_churn_landmark, with what a learned score may know: nothing but
-- the months before. The last six observable months are for testing; sixty days lie between them and what is learned from.
with month_before as (

    select
        customer_id,
        month_start,
        (month_start + interval '1 month')::date as known_at,
        plan_id,
        tenure_months,
        seats,
        mrr_list_usd,
        mrr_net_usd,
        covered_days,
        active_users,
        active_user_days,
        cancel_page_views,
        cancel_requests,
        first_attempt_failures,
        sum(active_user_days) over before as user_days_before,
        sum(covered_days) over before as days_before,
        sum(first_attempt_failures) over recent as failures_3m
    from {{ ref('fct_customer_month') }}
    window
        before as (partition by customer_id order by month_start rows between 3 preceding and 1 preceding),
        recent as (partition by customer_id order by month_start rows between 2 preceding and current row)

),

cutoff as (

    select (max(month_start) - interval '5 months')::date as test_from
    from {{ ref('int_churn_landmark') }}
    where is_observable

)

select
    landmark.customer_id,
    landmark.month_start,
    landmark.plan_id,
    landmark.billing_interval,
    landmark.tenure_band,
    landmark.churned_60d,
    coalesce(landmark.is_observable and landmark.month_start + 60 <= cutoff.test_from, false) as is_train,
    coalesce(landmark.is_observable and landmark.month_start >= cutoff.test_from, false) as is_test,
    landmark.billing_interval = 'year' as is_yearly,
    known.plan_id = 'starter' as is_starter,
    known.plan_id in ('business', 'enterprise') as is_large,
    ln(1 + greatest(known.tenure_months, 0))::numeric(12, 6) as log_tenure,
    ln(1 + known.seats)::numeric(12, 6) as log_seats,
    case when known.mrr_list_usd > 0 then round(1 - known.mrr_net_usd / known.mrr_list_usd, 6) end as discount_share,
    known.cancel_requests > 0 as has_cancel_request,
    known.cancel_page_views > 0 as has_cancel_page_view,
    known.first_attempt_failures > 0 as has_payment_failure,
    known.failures_3m > 1 as has_repeated_failures,
    {{ rate('known.active_user_days', 'known.covered_days', 4) }} as daily_users,
    known.active_user_days = 0 as is_unused,
    -- Use beside the customer's own three months before: 0 stopped, 1 as ever.
    least({{ rate('known.active_user_days * known.days_before', 'known.user_days_before * known.covered_days', 4) }}, 2) as use_ratio
from {{ ref('int_churn_landmark') }} as landmark
inner join month_before as known
    on known.customer_id = landmark.customer_id and known.known_at = landmark.month_start
left join cutoff on true
