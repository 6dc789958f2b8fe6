{{ config(materialized='logistic_regression') }}

-- Grain: one row per customer and month that it opened with MRR: the chance that it leaves of its own will within 60 days, learned by
-- logistic regression from months before the test months, and what speaks for it. This is the query that the regression is given.
select
    customer_id,
    month_start,
    plan_id,
    billing_interval,
    tenure_band,
    churned_60d as label,
    is_train,
    is_test,
    is_yearly as f_yearly_billing,
    is_starter as f_starter_plan,
    is_large as f_large_plan,
    log_tenure as f_tenure,
    log_seats as f_seats,
    discount_share as f_discount,
    has_cancel_request as f_asked_to_cancel,
    has_cancel_page_view as f_looked_at_cancelling,
    has_payment_failure as f_payment_failed,
    has_repeated_failures as f_payments_failed_repeatedly,
    daily_users as f_daily_users,
    is_unused as f_no_use,
    1 - use_ratio as f_use_fell
from {{ ref('int_churn_feature') }}
order by customer_id, month_start
