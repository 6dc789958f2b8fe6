{% set model = ref('orders') %}
{{ test_not_null(model, 'id') }};
{{ test_unique(model, 'id') }};
{{ test_accepted_values(model, 'status', ['open', "it's"]) }};
{{ test_accepted_values(model, 'n', [1, 2], quote=false) }};
{{ test_relationships(model, 'customer_id', ref('customers'), 'id') }};
{{ test_grain_unique(model, columns=['id', 'day']) }};
{{ test_value_between(model, 'rate', min_value=0, max_value=1) }};
{{ test_value_between(model, 'rate', max_value=1, inclusive=false) }};
{{ test_expression_is_true(model, 'a + b = c') }};
{{ test_expression_is_true(model, '> 0', column_name='amount') }};
{{ get_test_sql('select 1 as broken', 'count(*)', '!= 0', '> 10', 5) }}
