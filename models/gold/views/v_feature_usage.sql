{{ config(materialized='view') }}

-- Grain: one row per month and feature.
select
    month_start,
    feature,
    users,
    active_users,
    actions,
    adoption_rate
from {{ ref('mart_feature_usage') }}
