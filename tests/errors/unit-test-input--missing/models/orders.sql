select order_id, amount from {{ ref('payments') }} where status = 'paid'
