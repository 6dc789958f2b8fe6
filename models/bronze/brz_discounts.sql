{{ config(indexes=[{'columns': ['discount_id'], 'unique': true}]) }}

-- Grain: one row per discount. Append-only: each is taken in once.
with incoming as (

    select
        discount_id,
        subscription_id,
        customer_id,
        promo_code,
        percent_off,
        amount_off,
        currency,
        duration,
        start_at,
        end_at,
        created_at
    from {{ source('raw', 'discounts') }}
    {{- since_last_load('created_at') }}

)

select distinct on (incoming.discount_id)
    incoming.discount_id,
    incoming.subscription_id,
    incoming.customer_id,
    incoming.promo_code,
    incoming.percent_off,
    incoming.amount_off,
    incoming.currency,
    incoming.duration,
    incoming.start_at,
    incoming.end_at,
    incoming.created_at
from incoming
{{- not_yet_loaded(['discount_id']) }}
