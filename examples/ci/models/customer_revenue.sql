-- Grain: one row per customer.
select customer, sum(amount) as revenue
from {{ ref('orders') }}
where status = 'paid'
group by customer
