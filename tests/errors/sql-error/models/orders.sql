select
    1 as id,
    amuont as amount
from (select 2 as amount) as raw
