-- Churn is not a filter on a status that nobody writes: each customer that the application says has churned, with no subscription
-- left and MRR before, is a churn of the gross ledger at that instant, and no other is but a price that fell to zero.
with said as (

    select distinct
        event.customer_id,
        event.occurred_at
    from {{ ref('stg_churn_events') }} as event
    inner join {{ ref('dim_customer') }} as customer on customer.customer_id = event.customer_id
    inner join {{ ref('int_subscription_version') }} as version
        on version.subscription_id = event.subscription_id
        and version.valid_to = event.occurred_at
        and version.mrr_net_usd > 0
    cross join {{ ref('as_of') }} as as_of
    where event.event_type = 'churned' and event.occurred_at < as_of.as_of_at

),

ledger as (

    select
        customer_id,
        effective_at,
        movement_type
    from {{ ref('fct_mrr_event') }}

)

select
    said.customer_id,
    said.occurred_at,
    ledger.movement_type
from said
left join ledger on ledger.customer_id = said.customer_id and ledger.effective_at = said.occurred_at
-- One of two subscriptions that ends is a contraction.
where coalesce(ledger.movement_type, 'nothing') not in ('churn', 'contraction')
