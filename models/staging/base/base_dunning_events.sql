-- Grain: one row per dunning message, its latest version, typed, with the reason why it may not pass (null: it may).
with latest as (

    select distinct on (dunning_event_id)
        dunning_event_id,
        invoice_id,
        customer_id,
        kind,
        step,
        sent_at,
        opened_at,
        clicked_at,
        updated_at
    from {{ ref('brz_dunning_events') }}
    order by dunning_event_id, updated_at desc

)

select
    latest.dunning_event_id,
    latest.invoice_id,
    latest.customer_id,
    latest.kind as message_kind,
    latest.step,
    latest.sent_at,
    latest.opened_at,
    latest.clicked_at,
    latest.updated_at,
    case
        when invoice.invoice_id is null then 'orphan_invoice'
    end as reject_reason
from latest
left join {{ ref('stg_invoices') }} as invoice on invoice.invoice_id = latest.invoice_id
