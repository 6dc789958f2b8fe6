{{ config(incremental_strategy='append') }}
select id, kind, amount, {{ is_incremental() }} as again from {{ ref('events') }}
{% if is_incremental() %} where id > (select max(id) from {{ this }}) {% endif %}
