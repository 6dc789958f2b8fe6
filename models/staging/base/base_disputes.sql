-- Grain: one row per dispute, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select distinct on (dispute_id)
        dispute_id,
        attempt_id,
        invoice_id,
        customer_id,
        currency,
        amount,
        reason,
        status,
        opened_at,
        resolved_at,
        updated_at
    from {{ ref('brz_disputes') }}
    order by dispute_id, updated_at desc

)

select
    latest.dispute_id,
    latest.attempt_id,
    latest.invoice_id,
    latest.customer_id,
    latest.currency::text as currency,
    latest.amount as amount_minor,
    {{ to_usd('latest.amount') }} as amount_usd,
    latest.reason as dispute_reason,
    latest.status,
    latest.opened_at,
    {{ local_month('latest.opened_at') }} as opened_month,
    latest.resolved_at,
    {{ local_date('latest.resolved_at') }} as resolved_date,
    {{ local_month('latest.resolved_at') }} as resolved_month,
    latest.updated_at,
    case
        when attempt.attempt_id is null then 'orphan_attempt'
        when latest.currency <> attempt.currency then 'currency_differs_from_payment'
    end as reject_reason
from latest
left join {{ ref('stg_payment_attempts') }} as attempt on attempt.attempt_id = latest.attempt_id
left join {{ ref('fixed_fx_rates') }} as fx on fx.currency = latest.currency
