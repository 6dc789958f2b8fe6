-- Grain: one row per invoice line, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select
        line_id,
        invoice_id,
        subscription_id,
        price_id,
        type,
        quantity,
        currency,
        amount,
        discount,
        tax,
        period_start,
        period_end,
        is_proration,
        created_at
    from {{ ref('brz_invoice_lines') }}

)

select
    latest.line_id,
    latest.invoice_id,
    latest.subscription_id,
    latest.price_id,
    latest.type as line_type,
    latest.quantity,
    latest.currency::text as currency,
    latest.amount as amount_minor,
    latest.discount as discount_minor,
    latest.tax as tax_minor,
    latest.period_start,
    latest.period_end,
    latest.is_proration,
    latest.created_at,
    case
        when invoice.invoice_id is null then 'orphan_invoice'
        when price.price_id is null then 'unknown_price'
        when latest.currency <> invoice.currency then 'currency_differs_from_invoice'
    end as reject_reason
from latest
left join {{ ref('stg_invoices') }} as invoice on invoice.invoice_id = latest.invoice_id
left join {{ ref('stg_prices') }} as price on price.price_id = latest.price_id
