{{ config(incremental_strategy='only_new', unique_key='id') }}
select id, kind, {{ is_incremental() }} as again from {{ ref('events') }}
