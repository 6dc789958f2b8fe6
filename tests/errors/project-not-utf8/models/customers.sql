select
    id,
    name as café
from x
