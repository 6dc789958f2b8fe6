{{ config(materialized='ephemeral') }}

-- Grain: one row per metric of the group; what they are stands in the YAML beside.
-- depends_on: {{ ref('mart_revenue_monthly') }}
{{ metric_rows('revenue') }}
