select 100 as amount, 'USD' as currency, 7 as customer_id
