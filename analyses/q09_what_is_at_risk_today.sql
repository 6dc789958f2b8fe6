-- What is at risk today, and what of it is expected back?
select *
from {{ ref('mart_recovery_outlook') }}
