-- T18: every decline code that occurs has a reason category and a class.
select
    decline_code,
    count(*) as attempts
from {{ ref('fct_payment_attempt') }}
where is_decline_unmapped
group by decline_code
