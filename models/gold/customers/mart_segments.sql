-- Grain: one row per customer who ever paid an invoice: recency, frequency and monetary value of the last 365 days, each as a
-- fifth of the customers (5 is best), and the segment that they make. Ties go by the customer's id, so fifths are stable.
with paid as (

    select
        invoice.customer_id,
        as_of.as_of_date - max(invoice.paid_date) as recency_days,
        count(*) filter (where invoice.paid_date >= as_of.as_of_date - 365) as paid_invoices_365d,
        coalesce(sum(invoice.collected_usd - invoice.refunded_usd - invoice.lost_disputes_usd) filter (
            where invoice.paid_date >= as_of.as_of_date - 365
        ), 0.00) as paid_365d_usd
    from {{ ref('fct_invoice') }} as invoice
    cross join {{ ref('as_of') }} as as_of
    where invoice.collected_usd > 0 and invoice.paid_at < as_of.as_of_at
    group by invoice.customer_id, as_of.as_of_date

),

scored as (

    select
        paid.*,
        ntile(5) over (order by recency_days desc, customer_id) as recency_score,
        ntile(5) over (order by paid_invoices_365d, customer_id) as frequency_score,
        ntile(5) over (order by paid_365d_usd, customer_id) as monetary_score
    from paid

)

select
    customer_id,
    recency_days,
    paid_invoices_365d,
    paid_365d_usd,
    recency_score,
    frequency_score,
    monetary_score,
    recency_score * 100 + frequency_score * 10 + monetary_score as rfm,
    case
        when recency_score >= 4 and frequency_score >= 4 and monetary_score >= 4 then 'champions'
        when recency_score >= 3 and frequency_score >= 4 then 'loyal'
        when recency_score >= 3 and monetary_score >= 4 then 'big_spenders'
        when recency_score >= 4 and frequency_score <= 2 then 'new'
        when recency_score >= 3 then 'promising'
        when frequency_score >= 4 or monetary_score >= 4 then 'at_risk'
        when recency_score = 2 then 'fading'
        else 'lost'
    end as rfm_segment
from scored
