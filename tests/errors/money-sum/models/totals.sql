with paid as (
    select * from {{ ref('payments') }}
)
select
    customer_id,
    sum(amount) as total
from paid
group by customer_id
