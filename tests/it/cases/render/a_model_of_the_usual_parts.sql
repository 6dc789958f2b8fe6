{% macro cents(column, scale=2) %}({{ column }} / 100)::numeric(16, {{ scale }}){% endmacro %}
--- template ---
{{ config(materialized='incremental', unique_key='id', tags=['nightly']) }}

with orders as (
    select * from {{ ref('orders') }}
),
payments as (
    select * from {{ source('stripe', 'payment') }}
)
select
    id,
    {{ cents('amount') }} as amount,
    {{ var('days') }} as days,
    '{{ env_var("PORT") }}' as port
from orders
join {{ ref('crm', 'customers', v=2) }} using (id)
{% if is_incremental() %}
where id > (select max(id) from {{ this }})
{% endif %}
