-- Grain: one row per invoice, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select distinct on (invoice_id)
        invoice_id,
        subscription_id,
        customer_id,
        currency,
        status,
        billing_reason,
        collection_method,
        subtotal,
        discount,
        tax,
        total,
        credit_applied,
        amount_due,
        amount_paid,
        period_start,
        period_end,
        created_at,
        finalized_at,
        due_at,
        paid_at,
        voided_at,
        uncollectible_at,
        updated_at
    from {{ ref('brz_invoices') }}
    order by invoice_id, updated_at desc

)

select
    latest.invoice_id,
    latest.subscription_id,
    latest.customer_id,
    latest.currency::text as currency,
    latest.status,
    latest.billing_reason,
    latest.collection_method,
    latest.subtotal as subtotal_minor,
    latest.discount as discount_minor,
    latest.tax as tax_minor,
    latest.total as total_minor,
    latest.credit_applied as credit_applied_minor,
    latest.amount_due as amount_due_minor,
    latest.amount_paid as amount_paid_minor,
    {{ to_usd('latest.total') }} as total_usd,
    {{ to_usd('latest.tax') }} as tax_usd,
    {{ to_usd('latest.amount_due') }} as amount_due_usd,
    {{ to_usd('latest.amount_paid') }} as amount_paid_usd,
    latest.period_start,
    latest.period_end,
    latest.created_at,
    latest.finalized_at,
    latest.due_at,
    {{ local_date('latest.due_at') }} as due_date,
    {{ local_month('latest.due_at') }} as due_month,
    latest.paid_at,
    {{ local_date('latest.paid_at') }} as paid_date,
    {{ local_month('latest.paid_at') }} as paid_month,
    latest.voided_at,
    latest.uncollectible_at,
    latest.updated_at,
    case
        when subscription.subscription_id is null then 'orphan_subscription'
        when fx.currency is null then 'unknown_currency'
    end as reject_reason
from latest
left join {{ ref('stg_subscriptions') }} as subscription on subscription.subscription_id = latest.subscription_id
left join {{ ref('fixed_fx_rates') }} as fx on fx.currency = latest.currency
