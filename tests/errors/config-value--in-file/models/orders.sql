{{ config(on_schema_change='append_columns', unlogged='maybe') }}
select 1 as id
