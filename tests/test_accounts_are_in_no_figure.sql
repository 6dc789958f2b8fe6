-- Accounts of our own staff are in no fact, so in no figure.
with in_facts as (

    select customer_id from {{ ref('fct_invoice') }}
    union
    select customer_id from {{ ref('fct_payment_attempt') }}
    union
    select customer_id from {{ ref('fct_user_day') }}
    union
    select customer_id from {{ ref('int_subscription_version') }}
    union
    select customer_id from {{ ref('mart_customer_360') }}

)

select in_facts.customer_id
from in_facts
inner join {{ ref('stg_customers') }} as customer on customer.customer_id = in_facts.customer_id
where customer.is_test
