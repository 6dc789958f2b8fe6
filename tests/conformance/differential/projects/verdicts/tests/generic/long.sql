{% test long_name_of_a_generic_test_that_is_cut_by_a_hash_because_it_is_too_long(model, column_name, also, list) %}
{{ config(severity='warn') }}
select '{{ also }}' as also, '{{ list | join("-") }}' as list from {{ model }}
{% endtest %}
