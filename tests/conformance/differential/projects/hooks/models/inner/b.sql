{{ config(pre_hook="{% if execute %}{{ tell('own pre ' ~ this.schema) }}{% endif %}", indexes=[{'columns': ['id'], 'type': 'hash'}], grants={'+select': ['writer'], 'insert': ['writer']}, unlogged=true) }}
select id, '{{ var("v", "default") }}' as v, '{{ target.name }}' as target from {{ ref('a') }}
