{{ config(tags=['own'], meta={'c': 3}) }}
select '{{ this.schema }}' as s, '{{ this.identifier }}' as i, '{{ var("greeting") }}' as g, {{ var('shared') }} as n,
  '{{ my_own("x") }}' as own, {{ dbt.concat(["'a'", "'b'"]) }} as ab, '{{ model.unique_id }}' as id, '{{ model.fqn | join("/") }}' as fqn,
  '{{ config.get("materialized") }}' as mat, '{{ config.get("nothing", "none here") }}' as def, '{{ project_name }}' as p,
  {{ dbt.dateadd('day', 3, "'2024-01-01'::date") }} as later, {{ dbt.datediff("'2024-01-01'::date", "'2024-03-01'::date", 'month') }} as months,
  {{ dbt.split_part("'a|b|c'", "'|'", 2) }} as part, {{ dbt.safe_cast("'1'", api.Column.translate_type('integer')) }} as one,
  {{ dbt.hash("'x'") }} as h, {{ dbt.last_day("'2024-02-05'::date", 'month') }} as last
