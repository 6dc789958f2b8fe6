{{ config(materialized='ephemeral') }} select id, lower(email) as email, updated_at from {{ ref('people') }}
