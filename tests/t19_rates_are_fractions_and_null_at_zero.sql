-- T19: every rate lies in [0, 1], is NULL exactly where its denominator is 0, and is its own row's numerator by its
-- denominator: neither an average of rates nor over somebody else's denominator.
with rate as (

    select
        'mart_payment_reliability' as mart,
        mart.month_start::text as mart_row,
        listed.metric,
        listed.rate,
        listed.numerator,
        listed.denominator
    from {{ ref('mart_payment_reliability') }} as mart
    cross join lateral (
        values
            ('first_attempt_failure_rate', mart.first_attempt_failure_rate, mart.first_attempt_failures::numeric, mart.invoices_attempted::numeric),
            ('attempt_failure_rate', mart.attempt_failure_rate, mart.failed_attempts::numeric, mart.attempts::numeric),
            ('final_failure_rate', mart.final_failure_rate, mart.final_failures::numeric, mart.mature_invoices_attempted::numeric),
            ('recovery_rate', mart.recovery_rate, mart.recovered_invoices::numeric, mart.failed_invoices::numeric),
            ('recovery_value_rate', mart.recovery_value_rate, mart.recovered_usd::numeric, mart.failed_usd::numeric),
            ('leakage_rate', mart.leakage_rate, mart.written_off_usd::numeric, mart.failed_usd::numeric),
            ('recovery_7d_rate', mart.recovery_7d_rate, mart.recovered_7d_invoices::numeric, mart.observable_7d_invoices::numeric),
            ('recovery_14d_rate', mart.recovery_14d_rate, mart.recovered_14d_invoices::numeric, mart.observable_14d_invoices::numeric),
            ('recovery_30d_rate', mart.recovery_30d_rate, mart.recovered_30d_invoices::numeric, mart.observable_30d_invoices::numeric),
            ('attempt_month_first_failure_rate', mart.attempt_month_first_failure_rate, mart.attempt_month_first_failures::numeric, mart.attempt_month_invoices::numeric)
    ) as listed (metric, rate, numerator, denominator)
    union all
    select
        'mart_payment_reliability_plan_monthly' as mart,
        mart.month_start || ' ' || mart.plan_id as mart_row,
        listed.metric,
        listed.rate,
        listed.numerator,
        listed.denominator
    from {{ ref('mart_payment_reliability_plan_monthly') }} as mart
    cross join lateral (
        values
            ('first_attempt_failure_rate', mart.first_attempt_failure_rate, mart.first_attempt_failures::numeric, mart.invoices_attempted::numeric),
            ('attempt_failure_rate', mart.attempt_failure_rate, mart.failed_attempts::numeric, mart.attempts::numeric),
            ('final_failure_rate', mart.final_failure_rate, mart.final_failures::numeric, mart.mature_invoices_attempted::numeric),
            ('recovery_rate', mart.recovery_rate, mart.recovered_invoices::numeric, mart.failed_invoices::numeric),
            ('recovery_value_rate', mart.recovery_value_rate, mart.recovered_usd::numeric, mart.failed_usd::numeric),
            ('leakage_rate', mart.leakage_rate, mart.written_off_usd::numeric, mart.failed_usd::numeric),
            ('recovery_7d_rate', mart.recovery_7d_rate, mart.recovered_7d_invoices::numeric, mart.observable_7d_invoices::numeric),
            ('recovery_14d_rate', mart.recovery_14d_rate, mart.recovered_14d_invoices::numeric, mart.observable_14d_invoices::numeric),
            ('recovery_30d_rate', mart.recovery_30d_rate, mart.recovered_30d_invoices::numeric, mart.observable_30d_invoices::numeric),
            ('attempt_month_first_failure_rate', mart.attempt_month_first_failure_rate, mart.attempt_month_first_failures::numeric, mart.attempt_month_invoices::numeric)
    ) as listed (metric, rate, numerator, denominator)
    union all
    select
        'mart_failure_reason_monthly' as mart,
        mart.month_start || ' ' || mart.reason_category as mart_row,
        listed.metric,
        listed.rate,
        listed.numerator,
        listed.denominator
    from {{ ref('mart_failure_reason_monthly') }} as mart
    cross join lateral (
        values
            ('recovery_rate', mart.recovery_rate, mart.recovered_invoices::numeric, mart.failed_invoices::numeric),
            ('recovery_value_rate', mart.recovery_value_rate, mart.recovered_usd::numeric, mart.failed_usd::numeric),
            ('leakage_rate', mart.leakage_rate, mart.written_off_usd::numeric, mart.failed_usd::numeric)
    ) as listed (metric, rate, numerator, denominator)
    union all
    select
        'mart_revenue_monthly' as mart,
        mart.month_start || ' ' || mart.plan_id as mart_row,
        listed.metric,
        listed.rate,
        listed.numerator,
        listed.denominator
    from {{ ref('mart_revenue_monthly') }} as mart
    cross join lateral (
        values
            ('collected_rate', mart.collected_rate, mart.collected_usd::numeric, mart.billed_usd::numeric),
            ('on_retry_rate', mart.on_retry_rate, mart.billed_on_retry_usd::numeric, mart.collected_usd::numeric)
    ) as listed (metric, rate, numerator, denominator)
    union all
    select
        'mart_engagement' as mart,
        mart.month_start || ' ' || mart.customer_id as mart_row,
        listed.metric,
        listed.rate,
        listed.numerator,
        listed.denominator
    from {{ ref('mart_engagement') }} as mart
    cross join lateral (
        values
            ('stickiness_rate', mart.stickiness_rate, mart.mean_daily_active_users::numeric, mart.active_users::numeric)
    ) as listed (metric, rate, numerator, denominator)
    union all
    select
        'mart_engagement_monthly' as mart,
        mart.month_start::text as mart_row,
        listed.metric,
        listed.rate,
        listed.numerator,
        listed.denominator
    from {{ ref('mart_engagement_monthly') }} as mart
    cross join lateral (
        values
            ('cancel_intent_rate', mart.cancel_intent_rate, mart.cancel_intent_customers::numeric, mart.subscribed_customers::numeric),
            ('active_customer_rate', mart.active_customer_rate, mart.active_customers::numeric, mart.subscribed_customers::numeric),
            ('down_rate', mart.down_rate, mart.down_customers::numeric, (mart.up_customers + mart.flat_customers + mart.down_customers)::numeric)
    ) as listed (metric, rate, numerator, denominator)
    union all
    select
        'mart_failure_to_churn_lag' as mart,
        mart.lag_months::text as mart_row,
        listed.metric,
        listed.rate,
        listed.numerator,
        listed.denominator
    from {{ ref('mart_failure_to_churn_lag') }} as mart
    cross join lateral (
        values
            ('cancel_intent_rate', mart.cancel_intent_rate, mart.cancel_intents::numeric, mart.customer_months::numeric),
            ('voluntary_churn_rate', mart.voluntary_churn_rate, mart.voluntary_churns::numeric, mart.customer_months::numeric),
            ('involuntary_churn_rate', mart.involuntary_churn_rate, mart.involuntary_churns::numeric, mart.customer_months::numeric)
    ) as listed (metric, rate, numerator, denominator)
    union all
    select
        'mart_failure_to_churn_risk' as mart,
        mart.horizon_days || ' ' || mart.churn_kind as mart_row,
        listed.metric,
        listed.rate,
        listed.numerator,
        listed.denominator
    from {{ ref('mart_failure_to_churn_risk') }} as mart
    cross join lateral (
        values
            ('exposed_churn_rate', mart.exposed_churn_rate, mart.exposed_churned::numeric, mart.exposed::numeric),
            ('control_churn_rate', mart.control_churn_rate, mart.control_churned::numeric, mart.control::numeric)
    ) as listed (metric, rate, numerator, denominator)

)

select *
from rate
where
    rate not between 0 and 1
    or (rate is null) <> (denominator = 0)
    or abs(rate - numerator / nullif(denominator, 0)) > 0.000001
