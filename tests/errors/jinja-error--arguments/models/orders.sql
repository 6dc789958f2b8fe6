select
    {{ cents('amount', decimals=3) }} as amount
from raw_orders
