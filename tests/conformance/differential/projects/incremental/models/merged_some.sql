{{ config(unique_key='id', incremental_strategy='merge', merge_update_columns=['amount']) }}
select id, kind, amount, {{ is_incremental() }} as again from {{ ref('events') }}
