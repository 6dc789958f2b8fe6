{#
  The two filters of a bronze copy. Together they take each version in exactly once, however often a load is
  repeated: the look-back forgives rows that reached raw late, the anti-join forgives the look-back.
#}
{% macro since_last_load(cursor) -%}
    {%- if is_incremental() %}
    where {{ cursor }} >= (
        select coalesce(max(loaded.{{ cursor }}) - interval '{{ var("lookback_days") }} days', '-infinity')
        from {{ this }} as loaded
    )
    {#- The planner takes what lies above an instant that it does not know for a third of the table, and a range for little of it. #}
    and {{ cursor }} <= 'infinity'
    {%- endif %}
{%- endmacro %}

{% macro not_yet_loaded(columns) -%}
    {%- if is_incremental() %}
where not exists (
    select 1
    from {{ this }} as loaded
    where
    {%- for column in columns %}
        {{ 'and ' if not loop.first }}loaded.{{ column }} = incoming.{{ column }}
    {%- endfor %}
)
    {%- endif %}
{%- endmacro %}
