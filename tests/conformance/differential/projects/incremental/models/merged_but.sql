{{ config(unique_key=['id', 'kind'], incremental_strategy='merge', merge_exclude_columns=['again'], incremental_predicates=['DBT_INTERNAL_DEST.id > 1']) }}
select id, kind, amount, {{ is_incremental() }} as again from {{ ref('events') }}
