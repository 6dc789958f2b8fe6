-- Grain: one row per refund, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select distinct on (refund_id)
        refund_id,
        attempt_id,
        invoice_id,
        customer_id,
        currency,
        amount,
        reason,
        status,
        created_at,
        succeeded_at,
        updated_at
    from {{ ref('brz_refunds') }}
    order by refund_id, updated_at desc

)

select
    latest.refund_id,
    latest.attempt_id,
    latest.invoice_id,
    latest.customer_id,
    latest.currency::text as currency,
    latest.amount as amount_minor,
    {{ to_usd('latest.amount') }} as amount_usd,
    latest.reason as refund_reason,
    latest.status,
    latest.created_at,
    latest.succeeded_at,
    {{ local_date('latest.succeeded_at') }} as succeeded_date,
    {{ local_month('latest.succeeded_at') }} as succeeded_month,
    latest.updated_at,
    case
        when attempt.attempt_id is null then 'orphan_attempt'
        when latest.currency <> attempt.currency then 'currency_differs_from_payment'
    end as reject_reason
from latest
left join {{ ref('stg_payment_attempts') }} as attempt on attempt.attempt_id = latest.attempt_id
left join {{ ref('fixed_fx_rates') }} as fx on fx.currency = latest.currency
