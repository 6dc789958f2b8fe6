{{ config(full_refresh=false, unique_key='id') }}
select id, {{ is_incremental() }} as again from {{ ref('events') }}
