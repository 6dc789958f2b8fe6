{{ config(indexes=[{'columns': ['price_id', 'updated_at'], 'unique': true}]) }}

-- Grain: one row per version of a price. Append-only: each is taken in once.
with incoming as (

    select
        price_id,
        plan_id,
        currency,
        "interval",
        interval_count,
        unit_minor,
        valid_from,
        valid_to,
        updated_at
    from {{ source('raw', 'prices') }}
    {{- since_last_load('updated_at') }}

)

select distinct on (incoming.price_id, incoming.updated_at)
    incoming.price_id,
    incoming.plan_id,
    incoming.currency,
    incoming."interval",
    incoming.interval_count,
    incoming.unit_minor,
    incoming.valid_from,
    incoming.valid_to,
    incoming.updated_at
from incoming
{{- not_yet_loaded(['price_id', 'updated_at']) }}
