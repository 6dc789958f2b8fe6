{{ config(materialized='table') }}

-- Grain: one row per raw table and record that staging did not let pass.
with rejected as (

    select
        'prices' as raw_table,
        price_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_prices') }} as rejected
    where reject_reason is not null
    union all
    select
        'customers' as raw_table,
        customer_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_customers') }} as rejected
    where reject_reason is not null
    union all
    select
        'users' as raw_table,
        user_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_users') }} as rejected
    where reject_reason is not null
    union all
    select
        'payment_methods' as raw_table,
        payment_method_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_payment_methods') }} as rejected
    where reject_reason is not null
    union all
    select
        'subscriptions' as raw_table,
        subscription_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_subscriptions') }} as rejected
    where reject_reason is not null
    union all
    select
        'subscription_events' as raw_table,
        event_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_subscription_events') }} as rejected
    where reject_reason is not null
    union all
    select
        'discounts' as raw_table,
        discount_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_discounts') }} as rejected
    where reject_reason is not null
    union all
    select
        'invoices' as raw_table,
        invoice_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_invoices') }} as rejected
    where reject_reason is not null
    union all
    select
        'invoice_lines' as raw_table,
        line_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_invoice_lines') }} as rejected
    where reject_reason is not null
    union all
    select
        'payment_attempts' as raw_table,
        attempt_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_payment_attempts') }} as rejected
    where reject_reason is not null
    union all
    select
        'refunds' as raw_table,
        refund_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_refunds') }} as rejected
    where reject_reason is not null
    union all
    select
        'credit_notes' as raw_table,
        credit_note_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_credit_notes') }} as rejected
    where reject_reason is not null
    union all
    select
        'dunning_events' as raw_table,
        dunning_event_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_dunning_events') }} as rejected
    where reject_reason is not null
    union all
    select
        'churn_events' as raw_table,
        event_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_churn_events') }} as rejected
    where reject_reason is not null
    union all
    select
        'product_events' as raw_table,
        event_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_product_events') }} as rejected
    where reject_reason is not null
    union all
    select
        'disputes' as raw_table,
        dispute_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_disputes') }} as rejected
    where reject_reason is not null
    union all
    select
        'sessions' as raw_table,
        session_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_sessions') }} as rejected
    where reject_reason is not null
    union all
    select
        'marketing_spend' as raw_table,
        spend_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_marketing_spend') }} as rejected
    where reject_reason is not null
    union all
    select
        'cogs' as raw_table,
        cost_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_cogs') }} as rejected
    where reject_reason is not null
    union all
    select
        'fx_rates' as raw_table,
        rate_id as record_id,
        reject_reason,
        to_jsonb(rejected) - 'reject_reason' as record
    from {{ ref('base_fx_rates') }} as rejected
    where reject_reason is not null

)

select
    raw_table,
    record_id,
    reject_reason,
    record
from rejected
