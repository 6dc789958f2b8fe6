-- T17: nobody works with the product on a day after the last subscription of the customer has ended.
with ended as (

    select
        customer_id,
        max(ended_date) as last_ended_date
    from {{ ref('stg_subscriptions') }}
    group by customer_id
    having bool_and(ended_at is not null)

)

select
    user_day.user_id,
    user_day.activity_date,
    ended.last_ended_date
from {{ ref('fct_user_day') }} as user_day
inner join ended on ended.customer_id = user_day.customer_id
where user_day.is_active and user_day.activity_date > ended.last_ended_date
