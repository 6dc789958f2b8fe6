{{ config(materialized='view') }}

-- Grain: one row per month and country: the cohort of invoices due in the month, and MRR at its end.
with invoiced as (

    select
        customer.country,
        invoice.due_month as month_start,
        sum(invoice.billed_usd) as billed_usd,
        sum(invoice.collected_usd - invoice.refunded_usd - invoice.lost_disputes_usd) as collected_net_usd
    from {{ ref('fct_invoice') }} as invoice
    inner join {{ ref('dim_customer') }} as customer on customer.customer_id = invoice.customer_id
    group by customer.country, invoice.due_month

)

select
    movements.month_start,
    movements.cut_value as country,
    movements.closing_customers as paying_customers,
    coalesce(invoiced.billed_usd, 0.00) as billed_usd,
    coalesce(invoiced.collected_net_usd, 0.00) as collected_net_usd,
    movements.closing_usd as mrr_net_usd
from {{ ref('mart_mrr_movements') }} as movements
left join invoiced on invoiced.country = movements.cut_value and invoiced.month_start = movements.month_start
where movements.cut = 'country'
