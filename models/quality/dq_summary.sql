-- Grain: one row per raw table: what arrived, what of it was new, what passed and what did not, and how old the newest row is
-- beside the end of the data. Every key is once in staging or among the rejects (T12).
{% set tables = [
    ('plans', 'plan_id', 'updated_at'),
    ('prices', 'price_id', 'updated_at'),
    ('customers', 'customer_id', 'updated_at'),
    ('users', 'user_id', 'updated_at'),
    ('payment_methods', 'payment_method_id', 'updated_at'),
    ('subscriptions', 'subscription_id', 'updated_at'),
    ('subscription_events', 'event_id', 'received_at'),
    ('discounts', 'discount_id', 'created_at'),
    ('invoices', 'invoice_id', 'updated_at'),
    ('invoice_lines', 'line_id', 'created_at'),
    ('payment_attempts', 'attempt_id', 'updated_at'),
    ('refunds', 'refund_id', 'updated_at'),
    ('credit_notes', 'credit_note_id', 'updated_at'),
    ('dunning_events', 'dunning_event_id', 'updated_at'),
    ('churn_events', 'event_id', 'received_at'),
    ('product_events', 'event_id', 'received_at'),
    ('sessions', 'session_id', 'received_at'),
    ('disputes', 'dispute_id', 'updated_at'),
    ('marketing_spend', 'spend_id', 'updated_at'),
    ('cogs', 'cost_id', 'updated_at'),
    ('fx_rates', 'rate_id', 'updated_at'),
] %}
with counted as (

    {% for table, key, cursor in tables -%}
    select
        '{{ table }}' as raw_table,
        (select count(*) from {{ source('raw', table) }}) as raw_rows,
        (select count(*) from {{ ref('brz_' ~ table) }}) as bronze_versions,
        (select count(*) from {{ ref('stg_' ~ table) }}) as staged_rows,
        (select max({{ cursor }}) from {{ ref('brz_' ~ table) }}) as newest_at
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

rejected as (

    select
        raw_table,
        count(*) as rejected_rows
    from {{ ref('dq_rejects') }}
    group by raw_table

)

select
    counted.raw_table,
    as_of.as_of_date,
    counted.raw_rows,
    counted.bronze_versions,
    counted.staged_rows,
    coalesce(rejected.rejected_rows, 0) as rejected_rows,
    {{ rate('coalesce(rejected.rejected_rows, 0)', 'counted.staged_rows + coalesce(rejected.rejected_rows, 0)') }} as rejected_rate,
    counted.newest_at,
    round(extract(epoch from as_of.as_of_at - counted.newest_at) / 3600, 1) as hours_before_as_of
from counted
cross join {{ ref('as_of') }} as as_of
left join rejected on rejected.raw_table = counted.raw_table
