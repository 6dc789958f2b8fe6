-- The sums that are compared between raw and bronze are the sums of the money itself: a checksum over nothing always agrees.
with money as (

    select 'invoices' as raw_table, sum(amount_due_minor) as amount_sum from {{ ref('base_invoices') }}
    union all
    select 'payment_attempts', sum(amount_minor) from {{ ref('base_payment_attempts') }}
    union all
    select 'refunds', sum(amount_minor) from {{ ref('base_refunds') }}
    union all
    select 'invoice_lines', sum(amount_minor) from {{ ref('base_invoice_lines') }}

)

select
    money.raw_table,
    money.amount_sum,
    reconciliation.target_sum
from money
left join {{ ref('dq_reconciliation') }} as reconciliation on reconciliation.raw_table = money.raw_table
where coalesce(money.amount_sum, 0) is distinct from reconciliation.target_sum
