-- T12: every key of raw is in bronze, and every key of bronze is once in staging or among the rejects: nothing is lost,
-- and no join on the way has made two of one.
with counted as (

    select
        'plans' as raw_table,
        (select count(*) from (select from {{ source('raw', 'plans') }} group by plan_id) as key) as raw_keys,
        (select count(*) from (select from {{ ref('brz_plans') }} group by plan_id) as key) as bronze_keys,
        (select count(*) from {{ ref('stg_plans') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'plans') as rejected
    union all
    select
        'prices' as raw_table,
        (select count(*) from (select from {{ source('raw', 'prices') }} group by price_id) as key) as raw_keys,
        (select count(*) from (select from {{ ref('brz_prices') }} group by price_id) as key) as bronze_keys,
        (select count(*) from {{ ref('stg_prices') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'prices') as rejected
    union all
    select
        'customers' as raw_table,
        (select count(*) from (select from {{ source('raw', 'customers') }} group by customer_id) as key) as raw_keys,
        (select count(*) from (select from {{ ref('brz_customers') }} group by customer_id) as key) as bronze_keys,
        (select count(*) from {{ ref('stg_customers') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'customers') as rejected
    union all
    select
        'users' as raw_table,
        (select count(*) from (select from {{ source('raw', 'users') }} group by user_id) as key) as raw_keys,
        (select count(*) from (select from {{ ref('brz_users') }} group by user_id) as key) as bronze_keys,
        (select count(*) from {{ ref('stg_users') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'users') as rejected
    union all
    select
        'payment_methods' as raw_table,
        (select count(*) from (select from {{ source('raw', 'payment_methods') }} group by payment_method_id) as key) as raw_keys,
        (select count(*) from (select from {{ ref('brz_payment_methods') }} group by payment_method_id) as key) as bronze_keys,
        (select count(*) from {{ ref('stg_payment_methods') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'payment_methods') as rejected
    union all
    select
        'subscriptions' as raw_table,
        (select count(*) from (select from {{ source('raw', 'subscriptions') }} group by subscription_id) as key) as raw_keys,
        (select count(*) from (select from {{ ref('brz_subscriptions') }} group by subscription_id) as key) as bronze_keys,
        (select count(*) from {{ ref('stg_subscriptions') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'subscriptions') as rejected
    union all
    select
        'subscription_events' as raw_table,
        (select count(*) from (select from {{ source('raw', 'subscription_events') }} group by event_id) as key) as raw_keys,
        (select count(*) from {{ ref('brz_subscription_events') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_subscription_events') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'subscription_events') as rejected
    union all
    select
        'discounts' as raw_table,
        (select count(*) from (select from {{ source('raw', 'discounts') }} group by discount_id) as key) as raw_keys,
        (select count(*) from {{ ref('brz_discounts') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_discounts') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'discounts') as rejected
    union all
    select
        'invoices' as raw_table,
        (select count(*) from (select from {{ source('raw', 'invoices') }} group by invoice_id) as key) as raw_keys,
        (select count(*) from (select from {{ ref('brz_invoices') }} group by invoice_id) as key) as bronze_keys,
        (select count(*) from {{ ref('stg_invoices') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'invoices') as rejected
    union all
    select
        'invoice_lines' as raw_table,
        (select count(*) from (select from {{ source('raw', 'invoice_lines') }} group by line_id) as key) as raw_keys,
        (select count(*) from {{ ref('brz_invoice_lines') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_invoice_lines') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'invoice_lines') as rejected
    union all
    select
        'payment_attempts' as raw_table,
        (select count(*) from (select from {{ source('raw', 'payment_attempts') }} group by attempt_id) as key) as raw_keys,
        (select count(*) from (select from {{ ref('brz_payment_attempts') }} group by attempt_id) as key) as bronze_keys,
        (select count(*) from {{ ref('stg_payment_attempts') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'payment_attempts') as rejected
    union all
    select
        'refunds' as raw_table,
        (select count(*) from (select from {{ source('raw', 'refunds') }} group by refund_id) as key) as raw_keys,
        (select count(*) from (select from {{ ref('brz_refunds') }} group by refund_id) as key) as bronze_keys,
        (select count(*) from {{ ref('stg_refunds') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'refunds') as rejected
    union all
    select
        'credit_notes' as raw_table,
        (select count(*) from (select from {{ source('raw', 'credit_notes') }} group by credit_note_id) as key) as raw_keys,
        (select count(*) from (select from {{ ref('brz_credit_notes') }} group by credit_note_id) as key) as bronze_keys,
        (select count(*) from {{ ref('stg_credit_notes') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'credit_notes') as rejected
    union all
    select
        'dunning_events' as raw_table,
        (select count(*) from (select from {{ source('raw', 'dunning_events') }} group by dunning_event_id) as key) as raw_keys,
        (select count(*) from (select from {{ ref('brz_dunning_events') }} group by dunning_event_id) as key) as bronze_keys,
        (select count(*) from {{ ref('stg_dunning_events') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'dunning_events') as rejected
    union all
    select
        'churn_events' as raw_table,
        (select count(*) from (select from {{ source('raw', 'churn_events') }} group by event_id) as key) as raw_keys,
        (select count(*) from {{ ref('brz_churn_events') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_churn_events') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'churn_events') as rejected
    union all
    select
        'product_events' as raw_table,
        (select count(*) from (select from {{ source('raw', 'product_events') }} group by event_id) as key) as raw_keys,
        (select count(*) from {{ ref('brz_product_events') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_product_events') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'product_events') as rejected
    union all
    select
        'disputes' as raw_table,
        (select count(*) from (select from {{ source('raw', 'disputes') }} group by dispute_id) as key) as raw_keys,
        (select count(*) from (select from {{ ref('brz_disputes') }} group by dispute_id) as key) as bronze_keys,
        (select count(*) from {{ ref('stg_disputes') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'disputes') as rejected
    union all
    select
        'sessions' as raw_table,
        (select count(*) from (select from {{ source('raw', 'sessions') }} group by session_id) as key) as raw_keys,
        (select count(*) from {{ ref('brz_sessions') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_sessions') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'sessions') as rejected
    union all
    select
        'marketing_spend' as raw_table,
        (select count(*) from (select from {{ source('raw', 'marketing_spend') }} group by spend_id) as key) as raw_keys,
        (select count(*) from (select from {{ ref('brz_marketing_spend') }} group by spend_id) as key) as bronze_keys,
        (select count(*) from {{ ref('stg_marketing_spend') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'marketing_spend') as rejected
    union all
    select
        'cogs' as raw_table,
        (select count(*) from (select from {{ source('raw', 'cogs') }} group by cost_id) as key) as raw_keys,
        (select count(*) from (select from {{ ref('brz_cogs') }} group by cost_id) as key) as bronze_keys,
        (select count(*) from {{ ref('stg_cogs') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'cogs') as rejected
    union all
    select
        'fx_rates' as raw_table,
        (select count(*) from (select from {{ source('raw', 'fx_rates') }} group by rate_id) as key) as raw_keys,
        (select count(*) from (select from {{ ref('brz_fx_rates') }} group by rate_id) as key) as bronze_keys,
        (select count(*) from {{ ref('stg_fx_rates') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'fx_rates') as rejected

)

select *
from counted
where raw_keys <> bronze_keys or bronze_keys <> staged + rejected
