{{ config(materialized='ephemeral') }}

-- Grain: one row per metric of the group; what they are stands in the YAML beside.
-- depends_on: {{ ref('mart_ltv_survival') }}
-- depends_on: {{ ref('mart_unit_economics') }}
{{ metric_rows('economics') }}
