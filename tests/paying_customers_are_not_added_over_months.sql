-- Paying customers of a month are at most the customers who had signed up by its end: a sum over months or plans is not.
select
    revenue.month_start,
    revenue.plan_id,
    revenue.paying_customers
from {{ ref('mart_revenue_monthly') }} as revenue
inner join {{ ref('dim_month') }} as month on month.month_start = revenue.month_start
where
    revenue.paying_customers > (
        select count(*)
        from {{ ref('dim_customer') }} as customer
        where customer.signup_at < month.month_end_at
    )
