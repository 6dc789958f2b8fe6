-- Grain: one row per credit note, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select distinct on (credit_note_id)
        credit_note_id,
        invoice_id,
        customer_id,
        currency,
        amount,
        reason,
        status,
        issued_at,
        updated_at
    from {{ ref('brz_credit_notes') }}
    order by credit_note_id, updated_at desc

)

select
    latest.credit_note_id,
    latest.invoice_id,
    latest.customer_id,
    latest.currency::text as currency,
    latest.amount as amount_minor,
    {{ to_usd('latest.amount') }} as amount_usd,
    latest.reason as credit_reason,
    latest.status,
    latest.issued_at,
    {{ local_month('latest.issued_at') }} as issued_month,
    latest.updated_at,
    case
        when invoice.invoice_id is null then 'orphan_invoice'
        when latest.currency <> invoice.currency then 'currency_differs_from_invoice'
    end as reject_reason
from latest
left join {{ ref('stg_invoices') }} as invoice on invoice.invoice_id = latest.invoice_id
left join {{ ref('fixed_fx_rates') }} as fx on fx.currency = latest.currency
