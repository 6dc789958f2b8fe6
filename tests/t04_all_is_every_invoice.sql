-- T4: the ALL rows of all months together are all invoices: no month and no plan fell out of the mart.
with mart as (

    select
        sum(billed_usd) as billed_usd,
        sum(collected_usd) as collected_usd,
        sum(refunded_usd) as refunded_usd,
        sum(cash_collected_usd) as cash_collected_usd
    from {{ ref('mart_revenue_monthly') }}
    where plan_id = 'ALL'

),

fact as (

    select
        sum(billed_usd) as billed_usd,
        sum(collected_usd) as collected_usd,
        sum(refunded_usd) as refunded_usd,
        sum(collected_usd) as cash_collected_usd
    from {{ ref('fct_invoice') }}
    where due_month <= (select as_of_month from {{ ref('as_of') }})

)

select
    mart.*,
    fact.billed_usd as fact_billed_usd
from mart
cross join fact
where
    (mart.billed_usd, mart.collected_usd, mart.refunded_usd, mart.cash_collected_usd)
    is distinct from (fact.billed_usd, fact.collected_usd, fact.refunded_usd, fact.cash_collected_usd)
