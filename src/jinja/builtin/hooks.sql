{#- Hooks, for materializations that are written in Jinja. -#}

{% macro run_hooks(hooks, inside_transaction=true) %}
    {%- for hook in hooks if hook.get('transaction', true) == inside_transaction -%}
        {%- if not inside_transaction and loop.first -%}
            {%- do adapter.commit() -%}
        {%- endif -%}
        {%- set sql = render(hook.get('sql') or '') -%}
        {%- if sql | trim | length > 0 -%}
            {%- call statement(auto_begin=inside_transaction) -%}
                {{ sql }}
            {%- endcall -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{% macro make_hook_config(sql, inside_transaction) %}
    {%- do return(tojson({'sql': sql, 'transaction': inside_transaction})) -%}
{% endmacro %}

{% macro before_begin(sql) %}
    {%- do return(make_hook_config(sql, inside_transaction=false)) -%}
{% endmacro %}

{% macro in_transaction(sql) %}
    {%- do return(make_hook_config(sql, inside_transaction=true)) -%}
{% endmacro %}

{% macro after_commit(sql) %}
    {%- do return(make_hook_config(sql, inside_transaction=false)) -%}
{% endmacro %}
