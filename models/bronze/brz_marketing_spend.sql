{{ config(indexes=[{'columns': ['spend_id', 'updated_at'], 'unique': true}]) }}

-- Grain: one row per version of a day and channel of spend. Append-only: each is taken in once.
with incoming as (

    select
        spend_id,
        spent_on,
        channel,
        currency,
        amount,
        updated_at
    from {{ source('raw', 'marketing_spend') }}
    {{- since_last_load('updated_at') }}

)

select distinct on (incoming.spend_id, incoming.updated_at)
    incoming.spend_id,
    incoming.spent_on,
    incoming.channel,
    incoming.currency,
    incoming.amount,
    incoming.updated_at
from incoming
{{- not_yet_loaded(['spend_id', 'updated_at']) }}
