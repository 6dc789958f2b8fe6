{%- set found = run_query("select 'x' as k, 1.50 as v, null as n, date '2024-01-01' as d union all select 'y', 2, 3, null order by 1") -%}
{%- call statement('named', fetch_result=True) %}select 3 as three{% endcall -%}
{% if execute %}
select '{{ found.columns[0].values() | join(',') }}' as ks, '{{ found.columns['v'].values() | join(';') }}' as vs, '{{ found.rows | length }}' as n,
  '{{ load_result('named')['data'][0][0] }}' as three, '{{ found.rows[0]['d'] }}' as d,
  '{{ found.rows[1].values() | join(';') }}' as row, $x${{ utils_like() }}$x$ as u
{% else %} select 1 as nothing {% endif %}
