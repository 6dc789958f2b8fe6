-- grain: one row per customer
with orders as (

    select customer_id, ordered_on, amount
    from {{ ref('raw_orders') }}

)

select
    customer_id,
    count(*) as orders,
    sum(amount) as revenue,
    max(ordered_on) as last_ordered_on
from orders
group by customer_id
