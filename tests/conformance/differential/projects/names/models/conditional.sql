{{ config(enabled=var('shared') == 1, alias='Cond Ition') }} select {% for c in ['a', 'b'] %}{{ loop.index }} as {{ c }}{{ ',' if not loop.last }}{% endfor %}
