{#- Generic test of a table that `marts ingest` loads: rows where the last comparison with the source found
    a difference, or one row if the table was never compared. On a source it gates whatever reads it. -#}
{% test ingest_reconciles(model) %}
{%- set compared = api.Relation.create(database=model.database, schema=model.schema, identifier='dq_reconciliation') -%}
{%- set table_name = dbt.string_literal(dbt.escape_single_quotes(model.identifier)) -%}
select slice, source_rows, target_rows, source_checksum, target_checksum
from {{ compared }}
where table_name = {{ table_name }} and is_current and not matches
union all
select null, null, null, null, null
where not exists (
    select 1 from {{ compared }} where table_name = {{ table_name }} and is_current and slice is null
)
{% endtest %}
