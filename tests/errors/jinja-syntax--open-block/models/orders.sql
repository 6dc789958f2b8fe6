{% if var('all', true) %}
select 1 as id
