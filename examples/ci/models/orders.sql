-- Grain: one row per order.
select order_id, customer, status, amount
from {{ ref('raw_orders') }}
