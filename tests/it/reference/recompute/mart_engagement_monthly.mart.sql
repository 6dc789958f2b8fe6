select * from (
select metric, to_char(month_start, 'YYYY-MM') as period, value::numeric(24, 6) as value
from gold.mart_engagement_monthly
cross join lateral (
    values
        ('subscribed_customers', subscribed_customers),
        ('active_customers', active_customers),
        ('active_users', active_users),
        ('active_user_days', active_user_days),
        ('sessions', sessions),
        ('core_actions', core_actions),
        ('cancel_intent_customers', cancel_intent_customers),
        ('cancel_requesting_customers', cancel_requesting_customers),
        ('stickiness_rate', stickiness_rate),
        ('cancel_intent_rate', cancel_intent_rate),
        ('active_customer_rate', active_customer_rate)
) as figure (metric, value)
) as figures
where value <> 0
order by 1, 2
