-- Where does billed money go? The funnel of the last mature month.
select
    step,
    invoices,
    amount_usd,
    of_billed_invoices_rate,
    of_billed_usd_rate
from {{ ref('mart_payments_funnel') }}
where month_start = (select max(month_start) from {{ ref('dim_month') }} where is_mature)
order by step_order
