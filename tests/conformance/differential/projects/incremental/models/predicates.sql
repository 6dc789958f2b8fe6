{{ config(unique_key='id', incremental_strategy='delete+insert', incremental_predicates=["id > 1"]) }}
select id, kind, amount, {{ is_incremental() }} as again from {{ ref('events') }}
