select id from {{ ref('orders', v=1) }}
