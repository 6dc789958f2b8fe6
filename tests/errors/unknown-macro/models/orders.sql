select
    {{ cent('amount') }} as amount
from raw_orders
