{{ config(indexes=[{'columns': ['payment_method_id', 'updated_at'], 'unique': true}]) }}

-- Grain: one row per version of a payment method. Append-only: each is taken in once.
with incoming as (

    select
        payment_method_id,
        customer_id,
        type,
        brand,
        issuer_country,
        exp_month,
        exp_year,
        attached_at,
        detached_at,
        updated_by,
        updated_at
    from {{ source('raw', 'payment_methods') }}
    {{- since_last_load('updated_at') }}

)

select distinct on (incoming.payment_method_id, incoming.updated_at)
    incoming.payment_method_id,
    incoming.customer_id,
    incoming.type,
    incoming.brand,
    incoming.issuer_country,
    incoming.exp_month,
    incoming.exp_year,
    incoming.attached_at,
    incoming.detached_at,
    incoming.updated_by,
    incoming.updated_at
from incoming
{{- not_yet_loaded(['payment_method_id', 'updated_at']) }}
