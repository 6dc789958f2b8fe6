-- T12: every key of raw is in bronze, and every key of bronze is either in staging or among the rejects: nothing is lost.
with counted as (

    select
        'plans' as raw_table,
        (select count(distinct plan_id) from {{ source('raw', 'plans') }}) as raw_keys,
        (select count(distinct plan_id) from {{ ref('brz_plans') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_plans') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'plans') as rejected
    union all
    select
        'prices' as raw_table,
        (select count(distinct price_id) from {{ source('raw', 'prices') }}) as raw_keys,
        (select count(distinct price_id) from {{ ref('brz_prices') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_prices') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'prices') as rejected
    union all
    select
        'customers' as raw_table,
        (select count(distinct customer_id) from {{ source('raw', 'customers') }}) as raw_keys,
        (select count(distinct customer_id) from {{ ref('brz_customers') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_customers') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'customers') as rejected
    union all
    select
        'users' as raw_table,
        (select count(distinct user_id) from {{ source('raw', 'users') }}) as raw_keys,
        (select count(distinct user_id) from {{ ref('brz_users') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_users') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'users') as rejected
    union all
    select
        'payment_methods' as raw_table,
        (select count(distinct payment_method_id) from {{ source('raw', 'payment_methods') }}) as raw_keys,
        (select count(distinct payment_method_id) from {{ ref('brz_payment_methods') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_payment_methods') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'payment_methods') as rejected
    union all
    select
        'subscriptions' as raw_table,
        (select count(distinct subscription_id) from {{ source('raw', 'subscriptions') }}) as raw_keys,
        (select count(distinct subscription_id) from {{ ref('brz_subscriptions') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_subscriptions') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'subscriptions') as rejected
    union all
    select
        'subscription_events' as raw_table,
        (select count(distinct event_id) from {{ source('raw', 'subscription_events') }}) as raw_keys,
        (select count(distinct event_id) from {{ ref('brz_subscription_events') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_subscription_events') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'subscription_events') as rejected
    union all
    select
        'discounts' as raw_table,
        (select count(distinct discount_id) from {{ source('raw', 'discounts') }}) as raw_keys,
        (select count(distinct discount_id) from {{ ref('brz_discounts') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_discounts') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'discounts') as rejected
    union all
    select
        'invoices' as raw_table,
        (select count(distinct invoice_id) from {{ source('raw', 'invoices') }}) as raw_keys,
        (select count(distinct invoice_id) from {{ ref('brz_invoices') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_invoices') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'invoices') as rejected
    union all
    select
        'invoice_lines' as raw_table,
        (select count(distinct line_id) from {{ source('raw', 'invoice_lines') }}) as raw_keys,
        (select count(distinct line_id) from {{ ref('brz_invoice_lines') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_invoice_lines') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'invoice_lines') as rejected
    union all
    select
        'payment_attempts' as raw_table,
        (select count(distinct attempt_id) from {{ source('raw', 'payment_attempts') }}) as raw_keys,
        (select count(distinct attempt_id) from {{ ref('brz_payment_attempts') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_payment_attempts') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'payment_attempts') as rejected
    union all
    select
        'refunds' as raw_table,
        (select count(distinct refund_id) from {{ source('raw', 'refunds') }}) as raw_keys,
        (select count(distinct refund_id) from {{ ref('brz_refunds') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_refunds') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'refunds') as rejected
    union all
    select
        'credit_notes' as raw_table,
        (select count(distinct credit_note_id) from {{ source('raw', 'credit_notes') }}) as raw_keys,
        (select count(distinct credit_note_id) from {{ ref('brz_credit_notes') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_credit_notes') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'credit_notes') as rejected
    union all
    select
        'dunning_events' as raw_table,
        (select count(distinct dunning_event_id) from {{ source('raw', 'dunning_events') }}) as raw_keys,
        (select count(distinct dunning_event_id) from {{ ref('brz_dunning_events') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_dunning_events') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'dunning_events') as rejected
    union all
    select
        'churn_events' as raw_table,
        (select count(distinct event_id) from {{ source('raw', 'churn_events') }}) as raw_keys,
        (select count(distinct event_id) from {{ ref('brz_churn_events') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_churn_events') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'churn_events') as rejected
    union all
    select
        'product_events' as raw_table,
        (select count(distinct event_id) from {{ source('raw', 'product_events') }}) as raw_keys,
        (select count(distinct event_id) from {{ ref('brz_product_events') }}) as bronze_keys,
        (select count(*) from {{ ref('stg_product_events') }}) as staged,
        (select count(*) from {{ ref('dq_rejects') }} where raw_table = 'product_events') as rejected

)

select *
from counted
where raw_keys <> bronze_keys or bronze_keys <> staged + rejected
