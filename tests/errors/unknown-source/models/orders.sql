select *
from {{ source('raw', 'oders') }}
