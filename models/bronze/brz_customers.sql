{{ config(indexes=[{'columns': ['customer_id', 'updated_at'], 'unique': true}]) }}

-- Grain: one row per version of a customer. Append-only: each is taken in once.
with incoming as (

    select
        customer_id,
        company_name,
        industry,
        company_size,
        country,
        currency,
        timezone,
        channel,
        campaign,
        signup_at,
        is_test,
        updated_at,
        deleted_at
    from {{ source('raw', 'customers') }}
    {{- since_last_load('updated_at') }}

)

select distinct on (incoming.customer_id, incoming.updated_at)
    incoming.customer_id,
    incoming.company_name,
    incoming.industry,
    incoming.company_size,
    incoming.country,
    incoming.currency,
    incoming.timezone,
    incoming.channel,
    incoming.campaign,
    incoming.signup_at,
    incoming.is_test,
    incoming.updated_at,
    incoming.deleted_at
from incoming
{{- not_yet_loaded(['customer_id', 'updated_at']) }}
