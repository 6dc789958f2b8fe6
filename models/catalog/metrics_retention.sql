{{ config(materialized='ephemeral') }}

-- Grain: one row per metric of the group; what they are stands in the YAML beside.
-- depends_on: {{ ref('mart_retention') }}
{{ metric_rows('retention') }}
