{#- Comments and grants on relations. -#}

{% macro persist_docs(relation, model, for_relation=true, for_columns=true) %}
    {{ return(adapter.dispatch('persist_docs', 'dbt')(relation, model, for_relation, for_columns)) }}
{% endmacro %}

{% macro default__persist_docs(relation, model, for_relation, for_columns) %}
    {%- if for_relation and config.persist_relation_docs() and model.description -%}
        {%- do run_query(alter_relation_comment(relation, model.description)) -%}
    {%- endif -%}
    {%- if for_columns and config.persist_column_docs() and model.columns -%}
        {%- set sql = alter_column_comment(relation, model.columns) -%}
        {%- if sql | trim -%}{%- do run_query(sql) -%}{%- endif -%}
    {%- endif -%}
{% endmacro %}

{% macro alter_relation_comment(relation, relation_comment) %}
    {{ return(adapter.dispatch('alter_relation_comment', 'dbt')(relation, relation_comment)) }}
{% endmacro %}

{% macro default__alter_relation_comment(relation, relation_comment) %}
    {{ return(postgres__alter_relation_comment(relation, relation_comment)) }}
{% endmacro %}

{% macro postgres__alter_relation_comment(relation, comment) -%}
{%- set kind = 'materialized view' if relation.is_materialized_view else relation.type -%}
comment on {{ kind }} {{ relation }} is {{ postgres_escape_comment(comment) }}
{%- endmacro %}

{% macro alter_column_comment(relation, column_dict) %}
    {{ return(adapter.dispatch('alter_column_comment', 'dbt')(relation, column_dict)) }}
{% endmacro %}

{% macro default__alter_column_comment(relation, column_dict) %}
    {{ return(postgres__alter_column_comment(relation, column_dict)) }}
{% endmacro %}

{#- Comments on the columns that the relation has; a description of a column that it lacks is ignored. -#}
{% macro postgres__alter_column_comment(relation, column_dict) -%}
{%- set existing = adapter.get_columns_in_relation(relation) | map(attribute='name') | list -%}
{%- for name in column_dict -%}
{%- set column = column_dict[name] -%}
{%- set found = name if name in existing else (name | lower if name | lower in existing else none) -%}
{%- if found is not none %}
comment on column {{ relation }}.{{ adapter.quote(found) }} is {{ postgres_escape_comment(column['description'] or '') }};
{%- endif -%}
{%- endfor -%}
{%- endmacro %}

{#- A dollar-quoted text; the tag is long enough not to be in anybody's comment. -#}
{% macro postgres_escape_comment(comment) -%}
{%- if comment is not string -%}
    {%- do exceptions.raise_compiler_error('a comment is text, this is ' ~ comment) -%}
{%- endif -%}
{%- set tag = '$dbt_comment_literal_block$' -%}
{%- if tag in comment -%}
    {%- do exceptions.raise_compiler_error('a comment must not contain ' ~ tag) -%}
{%- endif -%}
{{ tag }}{{ comment }}{{ tag }}
{%- endmacro %}

{% macro validate_doc_columns(relation, column_dict, existing_column_names) %}
    {%- set known = {} -%}
    {%- for name in column_dict if name in existing_column_names or name | lower in existing_column_names -%}
        {%- do known.update({name: column_dict[name]}) -%}
    {%- endfor -%}
    {%- do return(known) -%}
{% endmacro %}

{% macro copy_grants() %}
    {{ return(adapter.dispatch('copy_grants', 'dbt')()) }}
{% endmacro %}

{% macro default__copy_grants() %}
    {{ return(true) }}
{% endmacro %}

{% macro postgres__copy_grants() %}
    {{ return(false) }}
{% endmacro %}

{% macro support_multiple_grantees_per_dcl_statement() %}
    {{ return(adapter.dispatch('support_multiple_grantees_per_dcl_statement', 'dbt')()) }}
{% endmacro %}

{% macro default__support_multiple_grantees_per_dcl_statement() %}
    {{ return(true) }}
{% endmacro %}

{% macro should_revoke(existing_relation, full_refresh_mode=true) %}
    {%- if not existing_relation -%}
        {%- do return(false) -%}
    {%- elif full_refresh_mode -%}
        {%- do return(copy_grants()) -%}
    {%- endif -%}
    {%- do return(true) -%}
{% endmacro %}

{% macro get_show_grant_sql(relation) %}
    {{ return(adapter.dispatch('get_show_grant_sql', 'dbt')(relation)) }}
{% endmacro %}

{% macro default__get_show_grant_sql(relation) %}
    {{ return(postgres__get_show_grant_sql(relation)) }}
{% endmacro %}

{% macro postgres__get_show_grant_sql(relation) -%}
select grantee, privilege_type
from {{ relation.information_schema('role_table_grants') }}
where grantor = current_role
    and grantee != current_role
    and table_schema = '{{ relation.schema }}'
    and table_name = '{{ relation.identifier }}'
{%- endmacro %}

{% macro get_grant_sql(relation, privilege, grantees) %}
    {{ return(adapter.dispatch('get_grant_sql', 'dbt')(relation, privilege, grantees)) }}
{% endmacro %}

{% macro default__get_grant_sql(relation, privilege, grantees) -%}
    grant {{ privilege }} on {{ relation }} to {{ grantees | join(', ') }}
{%- endmacro %}

{% macro get_revoke_sql(relation, privilege, grantees) %}
    {{ return(adapter.dispatch('get_revoke_sql', 'dbt')(relation, privilege, grantees)) }}
{% endmacro %}

{% macro default__get_revoke_sql(relation, privilege, grantees) -%}
    revoke {{ privilege }} on {{ relation }} from {{ grantees | join(', ') }}
{%- endmacro %}

{% macro get_dcl_statement_list(relation, grant_config, get_dcl_macro) %}
    {{ return(adapter.dispatch('get_dcl_statement_list', 'dbt')(relation, grant_config, get_dcl_macro)) }}
{% endmacro %}

{% macro default__get_dcl_statement_list(relation, grant_config, get_dcl_macro) %}
    {%- set statements = [] -%}
    {%- for privilege, grantees in grant_config.items() if grantees -%}
        {%- set grantees = [grantees] if grantees is string else grantees -%}
        {%- if support_multiple_grantees_per_dcl_statement() -%}
            {%- do statements.append(get_dcl_macro(relation, privilege, grantees)) -%}
        {%- else -%}
            {%- for grantee in grantees -%}
                {%- do statements.append(get_dcl_macro(relation, privilege, [grantee])) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do return(statements) -%}
{% endmacro %}

{% macro call_dcl_statements(dcl_statement_list) %}
    {{ return(adapter.dispatch('call_dcl_statements', 'dbt')(dcl_statement_list)) }}
{% endmacro %}

{% macro default__call_dcl_statements(dcl_statement_list) %}
    {%- call statement('grants') -%}
        {%- for dcl in dcl_statement_list %}
        {{ dcl }};
        {%- endfor -%}
    {%- endcall -%}
{% endmacro %}

{% macro apply_grants(relation, grant_config, should_revoke=true) %}
    {{ return(adapter.dispatch('apply_grants', 'dbt')(relation, grant_config, should_revoke)) }}
{% endmacro %}

{% macro default__apply_grants(relation, grant_config, should_revoke=true) %}
    {%- if grant_config -%}
        {%- set needed = {'grant': grant_config, 'revoke': {}} -%}
        {%- if should_revoke -%}
            {%- set current = grants_as_dict(run_query(get_show_grant_sql(relation))) -%}
            {%- do needed.update({
                'grant': diff_of_two_dicts(grant_config, current),
                'revoke': diff_of_two_dicts(current, grant_config),
            }) -%}
        {%- endif -%}
        {%- set statements = get_dcl_statement_list(relation, needed['revoke'], get_revoke_sql)
            + get_dcl_statement_list(relation, needed['grant'], get_grant_sql) -%}
        {%- if statements -%}
            {%- do call_dcl_statements(statements) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}

{% macro grants_as_dict(table) %}
    {%- set grants = {} -%}
    {%- for row in table or [] -%}
        {%- do grants.setdefault(row[1] | lower, []).append(row[0]) -%}
    {%- endfor -%}
    {%- do return(grants) -%}
{% endmacro %}
