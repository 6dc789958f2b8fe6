select *
from {{ ref('custmers') }}
join {{ ref('payments') }} using (id)
