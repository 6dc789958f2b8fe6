{#
  The filter of an incremental fact: rows that changed since the newest one in the table, and those of the
  look-back before it again. Rows are replaced by key, so taking one twice changes nothing.
#}
{% macro changed_since_last_run(changed_at) -%}
    {%- if is_incremental() %}
    where {{ changed_at }} >= (
        select coalesce(max(loaded.{{ changed_at }}) - interval '{{ var("lookback_days") }} days', '-infinity')
        from {{ this }} as loaded
    )
    {#- The planner takes what lies above an instant that it does not know for a third of the table, and a range for little of it. #}
    and {{ changed_at }} <= 'infinity'
    {%- endif %}
{%- endmacro %}
