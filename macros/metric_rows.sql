{#
  The metrics that a model's YAML lists under `meta: {metrics: ...}`, as rows, each with its latest known value taken
  from the relation that it names. The model names those relations in `depends_on` comments, so that they are built first.
#}
{% macro metric_rows(group) -%}
    {%- set metrics = config.get('meta', {}).get('metrics', []) -%}
    {%- for metric in metrics %}
select
    '{{ metric.name }}' as metric,
    '{{ group }}' as metric_group,
    {{ metric_text(metric.label) }} as label,
    {{ metric_text(metric.definition) }} as definition,
    '{{ metric.unit }}' as unit,
    '{{ metric.additivity }}' as additivity,
    {{ metric_text(metric.get('not_over', 'nothing')) }} as not_additive_over,
    '{{ metric.relation }}' as source_relation,
    '{{ metric.column }}' as source_column,
    {{ metric_text(metric.get('where', 'true')) }} as source_filter,
    {{ metric_text(metric.formula) }} as formula,
    {{ metric_text(metric.get('used_in', '')) }} as used_in,
    '{{ metric.owner }}' as owner,
    {{ 'true' if metric.get('higher_is_better', true) else 'false' }} as is_higher_better,
    (
        select source.{{ metric.column }}::numeric
        from {{ ref(metric.relation) }} as source
        where {{ metric.get('where', 'true') }}
        order by source.{{ metric.get('period', 'month_start') }} desc
        limit 1
    ) as latest_value
{{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{% macro metric_text(text) -%}
    '{{ text | trim | replace("'", "''") }}'
{%- endmacro %}
