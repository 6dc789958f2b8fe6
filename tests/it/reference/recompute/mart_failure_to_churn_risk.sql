-- Customer months with a charge that was tried: with a failure (exposed) or without (control), and who had left by each horizon.
with
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
charge as materialized (
    select
        invoice.customer_id,
        date_trunc('month', invoice.due_at, 'UTC') as month,
        invoice.paid_at,
        min(attempt.settled_at) filter (where attempt.outcome = 'failed') as failed_at
    from raw.invoices as invoice
    join raw.customers as customer on customer.customer_id = invoice.customer_id and not customer.is_test
    join raw.payment_attempts as attempt on attempt.invoice_id = invoice.invoice_id and attempt.outcome <> 'pending'
    where invoice.collection_method = 'charge_automatically' and invoice.amount_due > 0
    group by invoice.invoice_id, invoice.customer_id, invoice.due_at, invoice.paid_at
),
customer_month as materialized (
    select
        customer_id,
        month,
        min(failed_at) is not null as exposed,
        coalesce(min(failed_at), min(paid_at)) as watched_from
    from charge
    group by customer_id, month
),
fate as materialized (
    select
        one.*,
        kind.name as churn_kind,
        min(event.occurred_at) filter (where kind.name = 'total' or event.kind = 'voluntary') as left_at
    from customer_month as one
    cross join (values ('voluntary'), ('total')) as kind (name)
    left join raw.churn_events as event
        on event.customer_id = one.customer_id and event.event_type = 'churned' and event.occurred_at > one.watched_from
    where one.watched_from is not null
    group by one.customer_id, one.month, one.exposed, one.watched_from, kind.name
),
figures as materialized (
    select figure.metric, horizon.days || ' days ' || fate.churn_kind as period, sum(figure.value)::numeric(24, 6) as value
    from fate
    cross join as_of
    join (values (30), (60), (90)) as horizon (days) on fate.watched_from + horizon.days * interval '1 day' <= as_of.at
    cross join lateral (
        select coalesce(fate.left_at <= fate.watched_from + horizon.days * interval '1 day', false)::int as gone
    ) as outcome
    cross join lateral (
        values
            ('exposed', fate.exposed::int),
            ('exposed_churned', fate.exposed::int * outcome.gone),
            ('control', (not fate.exposed)::int),
            ('control_churned', (not fate.exposed)::int * outcome.gone)
    ) as figure (metric, value)
    group by figure.metric, horizon.days, fate.churn_kind
)
select metric, period, value
from figures
where value <> 0
order by 1, 2
