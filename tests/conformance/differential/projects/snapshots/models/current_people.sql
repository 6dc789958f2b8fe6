select id, name, dbt_valid_to is null as now from {{ ref('by_time') }}
