-- The customers' money together is all invoices' money, and their MRR is that of the last month: one row per customer lost none.
with customer as (

    select
        sum(billed_usd) as billed_usd,
        sum(collected_net_usd) as collected_net_usd,
        sum(mrr_net_usd) as mrr_net_usd
    from {{ ref('mart_customer_360') }}

),

fact as (

    select
        (select sum(billed_usd) from {{ ref('fct_invoice') }}) as billed_usd,
        (select sum(collected_usd - refunded_usd - lost_disputes_usd) from {{ ref('fct_invoice') }}) as collected_net_usd,
        (
            select coalesce(sum(mrr.mrr_net_usd), 0)
            from {{ ref('fct_mrr_subscription_month') }} as mrr
            inner join {{ ref('as_of') }} as as_of on as_of.as_of_month = mrr.month_start
        ) as mrr_net_usd

)

select
    customer.billed_usd,
    fact.billed_usd as fact_billed_usd,
    customer.collected_net_usd,
    fact.collected_net_usd as fact_collected_net_usd,
    customer.mrr_net_usd,
    fact.mrr_net_usd as fact_mrr_net_usd
from customer
cross join fact
where
    (customer.billed_usd, customer.collected_net_usd, customer.mrr_net_usd)
    is distinct from (fact.billed_usd, fact.collected_net_usd, fact.mrr_net_usd)
