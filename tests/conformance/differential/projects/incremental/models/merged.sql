{{ config(unique_key='id', incremental_strategy='merge') }}
select id, kind, amount, {{ is_incremental() }} as again from {{ ref('events') }}
