-- T24: in each table of daily business the newest row is at most two days older than the end of the data.
select
    raw_table,
    newest_at,
    hours_before_as_of
from {{ ref('dq_summary') }}
where
    raw_table in ('invoices', 'payment_attempts', 'subscription_events', 'product_events')
    and staged_rows >= 1000
    and hours_before_as_of > 48
