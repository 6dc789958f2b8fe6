-- T19: every rate lies in [0, 1], and is NULL exactly where its denominator is 0.
with rate as (

    select
        'mart_payment_reliability' as mart,
        mart.month_start::text as mart_row,
        listed.metric,
        listed.rate,
        listed.denominator
    from {{ ref('mart_payment_reliability') }} as mart
    cross join lateral (
        values
            ('first_attempt_failure_rate', mart.first_attempt_failure_rate, mart.invoices_attempted::numeric),
            ('attempt_failure_rate', mart.attempt_failure_rate, mart.attempts::numeric),
            ('final_failure_rate', mart.final_failure_rate, mart.mature_invoices_attempted::numeric),
            ('recovery_rate', mart.recovery_rate, mart.failed_invoices::numeric),
            ('recovery_value_rate', mart.recovery_value_rate, mart.failed_usd::numeric),
            ('leakage_rate', mart.leakage_rate, mart.failed_usd::numeric),
            ('recovery_7d_rate', mart.recovery_7d_rate, mart.observable_7d_invoices::numeric),
            ('recovery_30d_rate', mart.recovery_30d_rate, mart.observable_30d_invoices::numeric),
            ('attempt_month_first_failure_rate', mart.attempt_month_first_failure_rate, mart.attempt_month_invoices::numeric)
    ) as listed (metric, rate, denominator)
    union all
    select
        'mart_payment_reliability_plan_monthly' as mart,
        mart.month_start || ' ' || mart.plan_id as mart_row,
        listed.metric,
        listed.rate,
        listed.denominator
    from {{ ref('mart_payment_reliability_plan_monthly') }} as mart
    cross join lateral (
        values
            ('first_attempt_failure_rate', mart.first_attempt_failure_rate, mart.invoices_attempted::numeric),
            ('attempt_failure_rate', mart.attempt_failure_rate, mart.attempts::numeric),
            ('final_failure_rate', mart.final_failure_rate, mart.mature_invoices_attempted::numeric),
            ('recovery_rate', mart.recovery_rate, mart.failed_invoices::numeric),
            ('leakage_rate', mart.leakage_rate, mart.failed_usd::numeric)
    ) as listed (metric, rate, denominator)
    union all
    select
        'mart_failure_reason_monthly' as mart,
        mart.month_start || ' ' || mart.reason_category as mart_row,
        listed.metric,
        listed.rate,
        listed.denominator
    from {{ ref('mart_failure_reason_monthly') }} as mart
    cross join lateral (
        values
            ('recovery_rate', mart.recovery_rate, mart.failed_invoices::numeric),
            ('recovery_value_rate', mart.recovery_value_rate, mart.failed_usd::numeric),
            ('leakage_rate', mart.leakage_rate, mart.failed_usd::numeric)
    ) as listed (metric, rate, denominator)
    union all
    select
        'mart_revenue_monthly' as mart,
        mart.month_start || ' ' || mart.plan_id as mart_row,
        listed.metric,
        listed.rate,
        listed.denominator
    from {{ ref('mart_revenue_monthly') }} as mart
    cross join lateral (
        values
            ('collected_rate', mart.collected_rate, mart.billed_usd::numeric),
            ('on_retry_rate', mart.on_retry_rate, mart.collected_usd::numeric)
    ) as listed (metric, rate, denominator)
    union all
    select
        'mart_engagement' as mart,
        mart.month_start || ' ' || mart.customer_id as mart_row,
        listed.metric,
        listed.rate,
        listed.denominator
    from {{ ref('mart_engagement') }} as mart
    cross join lateral (
        values
            ('stickiness_rate', mart.stickiness_rate, mart.active_users::numeric)
    ) as listed (metric, rate, denominator)
    union all
    select
        'mart_engagement_monthly' as mart,
        mart.month_start::text as mart_row,
        listed.metric,
        listed.rate,
        listed.denominator
    from {{ ref('mart_engagement_monthly') }} as mart
    cross join lateral (
        values
            ('stickiness_rate', mart.stickiness_rate, mart.active_users::numeric),
            ('cancel_intent_rate', mart.cancel_intent_rate, mart.subscribed_customers::numeric),
            ('active_customer_rate', mart.active_customer_rate, mart.subscribed_customers::numeric)
    ) as listed (metric, rate, denominator)
    union all
    select
        'mart_failure_to_churn_lag' as mart,
        mart.lag_months::text as mart_row,
        listed.metric,
        listed.rate,
        listed.denominator
    from {{ ref('mart_failure_to_churn_lag') }} as mart
    cross join lateral (
        values
            ('cancel_intent_rate', mart.cancel_intent_rate, mart.customer_months::numeric),
            ('voluntary_churn_rate', mart.voluntary_churn_rate, mart.customer_months::numeric)
    ) as listed (metric, rate, denominator)
    union all
    select
        'mart_failure_to_churn_risk' as mart,
        mart.horizon_days || ' ' || mart.churn_kind as mart_row,
        listed.metric,
        listed.rate,
        listed.denominator
    from {{ ref('mart_failure_to_churn_risk') }} as mart
    cross join lateral (
        values
            ('exposed_churn_rate', mart.exposed_churn_rate, mart.exposed::numeric),
            ('control_churn_rate', mart.control_churn_rate, mart.control::numeric)
    ) as listed (metric, rate, denominator)

)

select *
from rate
where rate not between 0 and 1 or (rate is null) <> (denominator = 0)
