-- Grain: one row per raw table that carries money or churn: count, sum and an order-independent hash of the latest version of
-- each row in raw and in bronze. The hash is the sum of the rows' hashes, so one changed value in one row shows.
{% set tables = [
    ('customers', 'customer_id', '0', 'customer_id, updated_at'),
    ('subscriptions', 'subscription_id', '0', 'subscription_id, status, updated_at'),
    ('invoices', 'invoice_id', 'amount_due', 'invoice_id, status, amount_due, amount_paid, updated_at'),
    ('payment_attempts', 'attempt_id', 'amount', 'attempt_id, outcome, amount, updated_at'),
    ('refunds', 'refund_id', 'amount', 'refund_id, status, amount, updated_at'),
    ('invoice_lines', 'line_id', 'amount', 'line_id, amount, discount, tax, created_at'),
    ('subscription_events', 'event_id', 'quantity', 'event_id, type, quantity, effective_at'),
    ('churn_events', 'event_id', '0', 'event_id, event_type, occurred_at'),
] %}
with side as (

    {% for table, key, amount, hashed in tables -%}
    {% set cursor = hashed.split(', ')[-1] -%}
    select
        '{{ table }}' as raw_table,
        'raw' as side,
        count(*) as row_count,
        coalesce(sum({{ amount }}), 0)::numeric as amount_sum,
        coalesce(sum(hash_record_extended(row({{ hashed }}), 0)::numeric), 0) as row_hash
    from (
        select distinct on ({{ key }}) *
        from {{ source('raw', table) }}
        order by {{ key }}, {{ cursor }} desc
    ) as latest
    union all
    select
        '{{ table }}' as raw_table,
        'bronze' as side,
        count(*) as row_count,
        coalesce(sum({{ amount }}), 0)::numeric as amount_sum,
        coalesce(sum(hash_record_extended(row({{ hashed }}), 0)::numeric), 0) as row_hash
    from (
        select distinct on ({{ key }}) *
        from {{ ref('brz_' ~ table) }}
        order by {{ key }}, {{ cursor }} desc
    ) as latest
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    source.raw_table,
    source.row_count as source_rows,
    target.row_count as target_rows,
    source.amount_sum as source_sum,
    target.amount_sum as target_sum,
    source.row_hash as source_hash,
    target.row_hash as target_hash,
    (source.row_count, source.amount_sum, source.row_hash) = (target.row_count, target.amount_sum, target.row_hash) as is_equal
from side as source
inner join side as target on target.raw_table = source.raw_table
where source.side = 'raw' and target.side = 'bronze'
