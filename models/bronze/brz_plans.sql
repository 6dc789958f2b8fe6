{{ config(indexes=[{'columns': ['plan_id', 'updated_at'], 'unique': true}]) }}

-- Grain: one row per version of a plan. Append-only: each is taken in once.
with incoming as (

    select
        plan_id,
        name,
        tier_rank,
        max_users,
        updated_at
    from {{ source('raw', 'plans') }}
    {{- since_last_load('updated_at') }}

)

select distinct on (incoming.plan_id, incoming.updated_at)
    incoming.plan_id,
    incoming.name,
    incoming.tier_rank,
    incoming.max_users,
    incoming.updated_at
from incoming
{{- not_yet_loaded(['plan_id', 'updated_at']) }}
