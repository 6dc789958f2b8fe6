{{ config(indexes=[{'columns': ['rate_id', 'updated_at'], 'unique': true}]) }}

-- Grain: one row per version of a day and currency of the market rate. Append-only: each is taken in once.
with incoming as (

    select
        rate_id,
        rate_date,
        currency,
        usd_per_unit,
        updated_at
    from {{ source('raw', 'fx_rates') }}
    {{- since_last_load('updated_at') }}

)

select distinct on (incoming.rate_id, incoming.updated_at)
    incoming.rate_id,
    incoming.rate_date,
    incoming.currency,
    incoming.usd_per_unit,
    incoming.updated_at
from incoming
{{- not_yet_loaded(['rate_id', 'updated_at']) }}
