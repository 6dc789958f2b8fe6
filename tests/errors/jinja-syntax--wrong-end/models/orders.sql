select
{% for status in ['open', 'paid'] %}
    count(*) filter (where status = '{{ status }}') as {{ status }}_orders,
{% endif %}
    count(*) as orders
from raw_orders
