{{ config(indexes=[{'columns': ['user_id', 'updated_at'], 'unique': true}]) }}

-- Grain: one row per version of a user. Append-only: each is taken in once.
with incoming as (

    select
        user_id,
        customer_id,
        role,
        platform,
        created_at,
        deactivated_at,
        updated_at
    from {{ source('raw', 'users') }}
    {{- since_last_load('updated_at') }}

)

select distinct on (incoming.user_id, incoming.updated_at)
    incoming.user_id,
    incoming.customer_id,
    incoming.role,
    incoming.platform,
    incoming.created_at,
    incoming.deactivated_at,
    incoming.updated_at
from incoming
{{- not_yet_loaded(['user_id', 'updated_at']) }}
