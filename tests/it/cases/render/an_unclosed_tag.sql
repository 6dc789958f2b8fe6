select
    {{ ref('orders') }
from x
