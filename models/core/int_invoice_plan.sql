{{ config(indexes=[{'columns': ['invoice_id'], 'unique': true}]) }}

-- Grain: one row per invoice: the plan it is for, by its largest line (whole periods before prorations).
-- One row each, so that a join from invoices to plans cannot multiply money.
select distinct on (line.invoice_id)
    line.invoice_id,
    line.price_id,
    price.plan_id,
    price.billing_interval
from {{ ref('stg_invoice_lines') }} as line
inner join {{ ref('stg_prices') }} as price on price.price_id = line.price_id
order by line.invoice_id, line.is_proration, line.amount_minor desc, line.line_id
