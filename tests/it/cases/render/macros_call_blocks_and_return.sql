{% macro each(items, joiner=', ') -%}
  {%- for item in items -%}{{ caller(item, loop.index) }}{{ joiner if not loop.last }}{%- endfor -%}
{%- endmacro %}
{% macro evens(n) %}
  {%- set found = [] -%}
  {%- for i in range(n) if i % 2 == 0 -%}{%- do found.append(i) -%}{%- endfor -%}
  {{ return(found) }}
{% endmacro %}
{% macro spread() %}{{ varargs | join('/') }} {{ kwargs }}{% endmacro %}
{% macro fact(n) %}{{ return(1 if n <= 1 else n * fact(n - 1)) }}{% endmacro %}
--- template ---
select {% call(item, at) each(evens(5)) %}{{ item }} as c{{ at }}{% endcall %}
-- {{ spread(1, 2, a='x') }} {{ fact(6) }} {{ shop.evens(3) | length }} {{ context['fact'](3) }}
