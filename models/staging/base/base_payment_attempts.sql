-- Grain: one row per payment attempt, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select distinct on (attempt_id)
        attempt_id,
        invoice_id,
        customer_id,
        payment_method_id,
        attempt_number,
        initiator,
        attempted_at,
        currency,
        amount,
        outcome,
        settled_at,
        decline_code,
        network_code,
        updated_at
    from {{ ref('brz_payment_attempts') }}
    order by attempt_id, updated_at desc

)

select
    latest.attempt_id,
    latest.invoice_id,
    latest.customer_id,
    latest.payment_method_id,
    latest.attempt_number,
    latest.initiator,
    latest.attempted_at,
    {{ local_date('latest.attempted_at') }} as attempted_date,
    {{ local_month('latest.attempted_at') }} as attempted_month,
    latest.currency::text as currency,
    latest.amount as amount_minor,
    {{ to_usd('latest.amount') }} as amount_usd,
    latest.outcome,
    latest.outcome in ('succeeded', 'failed') as is_terminal,
    latest.outcome = 'failed' as is_failed,
    latest.settled_at,
    {{ local_date('latest.settled_at') }} as settled_date,
    latest.decline_code,
    latest.network_code,
    case when latest.outcome = 'failed' then coalesce(decline.category, 'other') end as reason_category,
    case when latest.outcome = 'failed' then coalesce(decline.failure_class, 'unknown') end as failure_class,
    latest.outcome = 'failed' and decline.code is null as is_decline_unmapped,
    latest.updated_at,
    case
        when invoice.invoice_id is null then 'orphan_invoice'
        when latest.currency <> invoice.currency then 'currency_differs_from_invoice'
    end as reject_reason
from latest
left join {{ ref('stg_invoices') }} as invoice on invoice.invoice_id = latest.invoice_id
left join {{ ref('fixed_fx_rates') }} as fx on fx.currency = latest.currency
left join {{ ref('decline_codes') }} as decline on decline.code = latest.decline_code
