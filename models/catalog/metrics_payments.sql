{{ config(materialized='ephemeral') }}

-- Grain: one row per metric of the group; what they are stands in the YAML beside.
-- depends_on: {{ ref('mart_payment_reliability') }}
-- depends_on: {{ ref('mart_recovery_outlook') }}
{{ metric_rows('payments') }}
