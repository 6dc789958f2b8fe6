{{ config(materialized='ephemeral') }}

-- Grain: one row per metric of the group; what they are stands in the YAML beside.
-- depends_on: {{ ref('mart_activation') }}
-- depends_on: {{ ref('mart_active_users') }}
-- depends_on: {{ ref('mart_engagement_monthly') }}
{{ metric_rows('product') }}
