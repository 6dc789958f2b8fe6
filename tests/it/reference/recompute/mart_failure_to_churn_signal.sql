-- Failed automatic charges, and the first cancel intent and churn of the customer after the failure.
with
fx (currency, usd_per_minor) as materialized (
    values
        ('USD', 0.01), ('EUR', 0.0108), ('GBP', 0.0127), ('CAD', 0.00735), ('AUD', 0.0066), ('INR', 0.00012), ('JPY', 0.0067)
),
as_of as materialized (
    -- The end of the last day on which raw heard of anything.
    select date_trunc('day', max(instant) - interval '1 microsecond', 'UTC') + interval '1 day' as at
    from (
        select max(updated_at) as instant from raw.customers
        union all select max(updated_at) from raw.users
        union all select max(updated_at) from raw.payment_methods
        union all select max(updated_at) from raw.subscriptions
        union all select max(received_at) from raw.subscription_events
        union all select max(updated_at) from raw.invoices
        union all select max(updated_at) from raw.payment_attempts
        union all select max(updated_at) from raw.refunds
        union all select max(updated_at) from raw.dunning_events
        union all select max(received_at) from raw.churn_events
        union all select max(received_at) from raw.product_events
    ) as heard
),
episode as materialized (
    select
        invoice.invoice_id,
        invoice.customer_id,
        invoice.status,
        to_char(invoice.due_at at time zone 'UTC', 'YYYY-MM') as month,
        round(invoice.amount_due * fx.usd_per_minor, 2) as due_usd,
        failure.at as failed_at,
        invoice.paid_at
    from raw.invoices as invoice
    join raw.customers as customer on customer.customer_id = invoice.customer_id and not customer.is_test
    join fx on fx.currency = invoice.currency
    join (
        select invoice_id, min(settled_at) as at from raw.payment_attempts where outcome = 'failed' group by invoice_id
    ) as failure on failure.invoice_id = invoice.invoice_id
    where invoice.collection_method = 'charge_automatically' and invoice.amount_due > 0
),
intended as materialized (
    select customer_id, (occurred_at at time zone 'UTC')::date as day
    from raw.product_events
    where name = 'cancel_page_viewed'
    union
    select customer_id, (occurred_at at time zone 'UTC')::date
    from raw.churn_events
    where event_type = 'cancel_requested'
),
intent as materialized (
    select episode.invoice_id, min(intended.day) as day
    from episode
    join intended
        on intended.customer_id = episode.customer_id
        and intended.day > (episode.failed_at at time zone 'UTC')::date
    group by episode.invoice_id
),
departure as materialized (
    select
        episode.invoice_id,
        min(event.occurred_at) filter (where event.kind = 'voluntary') as left_at,
        min(event.occurred_at) as lost_at
    from episode
    join raw.churn_events as event on event.customer_id = episode.customer_id and event.occurred_at > episode.failed_at
    where event.event_type = 'churned'
    group by episode.invoice_id
),
after_failure as materialized (
    select
        episode.*,
        as_of.at - episode.failed_at as seen,
        intent.day - (episode.failed_at at time zone 'UTC')::date as intent_after,
        departure.left_at - episode.failed_at as left_after,
        departure.lost_at - episode.failed_at as lost_after
    from episode
    cross join as_of
    left join intent on intent.invoice_id = episode.invoice_id
    left join departure on departure.invoice_id = episode.invoice_id
),
figures as materialized (
    select figure.metric, month as period, sum(figure.value)::numeric(24, 6) as value
    from after_failure
    cross join lateral (
        values
            ('episodes', 1::numeric),
            ('failed_usd', due_usd),
            ('recovered', (status = 'paid')::int),
            ('cancel_intent', (intent_after is not null)::int),
            ('cancel_intent_30d', (seen >= interval '30 days' and intent_after <= 30)::int),
            ('voluntary_churn_30d', (seen >= interval '30 days' and left_after <= interval '30 days')::int),
            ('voluntary_churn_60d', (seen >= interval '60 days' and left_after <= interval '60 days')::int),
            ('voluntary_churn_90d', (seen >= interval '90 days' and left_after <= interval '90 days')::int),
            ('churn_30d', (seen >= interval '30 days' and lost_after <= interval '30 days')::int),
            ('churn_60d', (seen >= interval '60 days' and lost_after <= interval '60 days')::int),
            ('churn_90d', (seen >= interval '90 days' and lost_after <= interval '90 days')::int),
            ('observable_90d', (seen >= interval '90 days')::int),
            (
                'days_to_recovery',
                case when status = 'paid' then round(extract(epoch from paid_at - failed_at) / 86400.0, 3) end
            )
    ) as figure (metric, value)
    group by figure.metric, month
)
select metric, period, value
from figures
where value <> 0
order by 1, 2
