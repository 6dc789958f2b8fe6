{{ config(error_if='> 0.1%') }}
select orders.id
from {{ ref('orders') }} as orders
left join {{ ref('customers') }} as customers using (id)
where customers.id is null
