-- T3: for each customer and month the changes of the gross ledger sum to the change of the net ledger.
with gross as (

    select
        customer_id,
        month_start,
        sum(delta_usd) as delta_usd
    from {{ ref('fct_mrr_event') }}
    group by customer_id, month_start

)

select
    customer_id,
    month_start,
    gross.delta_usd as gross_delta_usd,
    net.delta_usd as net_delta_usd
from gross
full join {{ ref('fct_mrr_movement') }} as net using (customer_id, month_start)
where coalesce(gross.delta_usd, 0) <> coalesce(net.delta_usd, 0)
