{{ config(full_refresh=true) }}
select id, {{ is_incremental() }} as again from {{ ref('events') }}
