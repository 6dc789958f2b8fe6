{{ config(
    materialized='incremental',
    unique_key='episode_id',
    incremental_strategy='delete+insert',
    indexes=[{'columns': ['episode_id'], 'unique': true}, {'columns': ['customer_id', 'opened_at']}]
) }}

-- Grain: one row per failure episode: an automatically charged invoice whose payment failed at least once.
-- An invoice has one episode however often it is tried, and one that was paid later ended as recovered.
with messages as (

    select
        invoice_id,
        count(*)::integer as messages_sent,
        count(opened_at)::integer as messages_opened,
        count(clicked_at)::integer as messages_clicked,
        max(updated_at) as updated_at
    from {{ ref('stg_dunning_events') }}
    group by invoice_id

),

episode as (

    select
        invoice.*,
        coalesce(messages.messages_sent, 0) as messages_sent,
        coalesce(messages.messages_opened, 0) as messages_opened,
        coalesce(messages.messages_clicked, 0) as messages_clicked,
        greatest(invoice.last_changed_at, messages.updated_at) as episode_changed_at
    from {{ ref('fct_invoice') }} as invoice
    left join messages on messages.invoice_id = invoice.invoice_id
    where invoice.is_auto_charged and invoice.failed_attempts > 0

),

described as (

    select
        invoice_id as episode_id,
        subscription_id,
        customer_id,
        plan_id,
        billing_interval,
        due_at,
        due_month,
        first_failed_at as opened_at,
        first_failed_date as opened_date,
        coalesce(paid_at, uncollectible_at, voided_at) as closed_at,
        case payment_state
            when 'recovered' then 'recovered'
            when 'written_off' then 'written_off'
            when 'voided_after_failure' then 'voided'
            else 'in_dunning'
        end as episode_outcome,
        amount_due_usd as failed_usd,
        -- A part may be paid of what is still open, or was written off in the end.
        collected_usd as recovered_usd,
        attempts,
        failed_attempts,
        first_decline_code,
        first_reason_category,
        first_failure_class,
        case
            when payment_state = 'recovered' then extract(epoch from paid_at - first_failed_at) / 86400.0
        end::numeric(8, 3) as days_to_recovery,
        messages_sent,
        messages_opened,
        messages_clicked,
        episode_changed_at as last_changed_at
    from episode

)

select
    episode_id,
    subscription_id,
    customer_id,
    plan_id,
    billing_interval,
    due_at,
    due_month,
    opened_at,
    opened_date,
    closed_at,
    episode_outcome,
    failed_usd,
    recovered_usd,
    attempts,
    failed_attempts,
    first_decline_code,
    first_reason_category,
    first_failure_class,
    days_to_recovery,
    messages_sent,
    messages_opened,
    messages_clicked,
    last_changed_at
from described
{{- changed_since_last_run('last_changed_at') }}
