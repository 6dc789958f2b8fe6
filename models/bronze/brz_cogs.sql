{{ config(indexes=[{'columns': ['cost_id', 'updated_at'], 'unique': true}]) }}

-- Grain: one row per version of a month and category of cost. Append-only: each is taken in once.
with incoming as (

    select
        cost_id,
        month_start,
        category,
        currency,
        amount,
        updated_at
    from {{ source('raw', 'cogs') }}
    {{- since_last_load('updated_at') }}

)

select distinct on (incoming.cost_id, incoming.updated_at)
    incoming.cost_id,
    incoming.month_start,
    incoming.category,
    incoming.currency,
    incoming.amount,
    incoming.updated_at
from incoming
{{- not_yet_loaded(['cost_id', 'updated_at']) }}
