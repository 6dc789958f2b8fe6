select *
from raw_orders
where day > '{{ var("start_day") }}'
