-- T6: lines - discount + tax = total, and total - credit = due, to the minor unit, for every invoice.
with lines as (

    select
        invoice_id,
        sum(amount_minor) as amount_minor,
        sum(discount_minor) as discount_minor,
        sum(tax_minor) as tax_minor
    from {{ ref('stg_invoice_lines') }}
    group by invoice_id

)

select
    invoice.invoice_id,
    invoice.subtotal_minor,
    lines.amount_minor as lines_minor,
    invoice.discount_minor,
    invoice.tax_minor,
    invoice.total_minor,
    invoice.credit_applied_minor,
    invoice.amount_due_minor
from {{ ref('stg_invoices') }} as invoice
left join lines on lines.invoice_id = invoice.invoice_id
where
    lines.amount_minor is distinct from invoice.subtotal_minor
    or lines.discount_minor is distinct from invoice.discount_minor
    or lines.tax_minor is distinct from invoice.tax_minor
    or invoice.subtotal_minor - invoice.discount_minor + invoice.tax_minor <> invoice.total_minor
    or invoice.total_minor - invoice.credit_applied_minor <> invoice.amount_due_minor
