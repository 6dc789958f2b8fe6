-- Is engagement falling?
select
    month_start,
    subscribed_customers,
    active_customer_rate,
    stickiness_rate,
    cancel_intent_rate,
    down_rate
from {{ ref('mart_engagement_monthly') }}
order by month_start desc
limit 6
