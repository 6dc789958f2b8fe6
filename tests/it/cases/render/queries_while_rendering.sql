{% set result = run_query('select * from ' ~ ref('orders')) %}
{% if execute %}
-- {{ result.columns[1].values() }} {{ result.column_names }} {{ result.rows | length }}
{% for row in result %}
-- {{ row['id'] }} {{ row.name }} {{ row[2] }} {{ row.values() }}
{% endfor %}
{% endif %}
{% call statement('s', fetch_result=true) %}select 1{% endcall %}
-- {{ load_result('s').data }} {{ load_result('s').response }} {{ load_result('none') }}
-- {{ adapter.get_relation(this.database, this.schema, 'absent') }} {{ load_relation(this).type }}
-- {% for c in adapter.get_columns_in_relation(this) %}{{ c.quoted }} {{ c.dtype }} {{ c.data_type }} {{ c.is_numeric() }}; {% endfor %}
{% do log('hello', info=true) %}
