-- What customers did in the months around a failure, while they were still subscribed.
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
paused as materialized (
    select subscription_id, effective_at from raw.subscription_events where type = 'paused'
),
paid_stretch as materialized (
    -- A pause ends what is paid; what follows it is a stretch of its own.
    select
        begun.customer_id,
        begun.activated_at,
        coalesce(
            (
                select min(paused.effective_at)
                from paused
                where paused.subscription_id = begun.subscription_id and paused.effective_at >= begun.activated_at
            ),
            begun.ended_at
        ) as ended_at
    from (
        select subscription_id, customer_id, activated_at, ended_at
        from raw.subscriptions
        where activated_at is not null
        union all
        select event.subscription_id, event.customer_id, event.effective_at, subscription.ended_at
        from raw.subscription_events as event
        join raw.subscriptions as subscription on subscription.subscription_id = event.subscription_id
        where event.type = 'resumed'
    ) as begun
),
months as materialized (
    select
        start as month,
        least(start + interval '1 month', as_of.at) as measured_at,
        start + interval '1 month' <= as_of.at as is_closed,
        start + interval '1 month' + interval '30 days' <= as_of.at as is_mature
    from as_of
    cross join generate_series(
        (select date_trunc('month', min(signup_at), 'UTC') from raw.customers),
        as_of.at - interval '1 microsecond',
        interval '1 month'
    ) as start
),
failed as materialized (
    -- Customers and the months in which a charge that was due failed.
    select distinct invoice.customer_id, date_trunc('month', invoice.due_at, 'UTC') as month
    from raw.invoices as invoice
    join raw.customers as customer on customer.customer_id = invoice.customer_id and not customer.is_test
    join raw.payment_attempts as attempt on attempt.invoice_id = invoice.invoice_id and attempt.outcome = 'failed'
    where invoice.collection_method = 'charge_automatically' and invoice.amount_due > 0
),
watched as materialized (
    select distinct failed.customer_id, failed.month as failed_month, months.month, lag.months_after
    from failed
    cross join generate_series(-3, 6) as lag (months_after)
    join months
        on months.is_closed
        and months.month at time zone 'UTC' = failed.month at time zone 'UTC' + lag.months_after * interval '1 month'
    join paid_stretch as subscription
        on subscription.customer_id = failed.customer_id
        and subscription.activated_at < months.measured_at
        and coalesce(subscription.ended_at > months.month, true)
),
acted as materialized (
    select customer_id, date_trunc('month', occurred_at, 'UTC') as month, 'cancel_intents' as metric
    from raw.product_events
    where name = 'cancel_page_viewed'
    union
    select
        customer_id,
        date_trunc('month', occurred_at, 'UTC'),
        case when event_type = 'cancel_requested' then 'cancel_intents' else kind || '_churns' end
    from raw.churn_events
    where event_type in ('cancel_requested', 'churned')
),
figures as materialized (
    select 'customer_months' as metric, 'lag ' || months_after as period, count(*)::numeric(24, 6) as value
    from watched
    group by months_after
    union all
    select acted.metric, 'lag ' || months_after, count(*)::numeric(24, 6)
    from watched
    join acted on acted.customer_id = watched.customer_id and acted.month = watched.month
    group by acted.metric, months_after
)
select metric, period, value
from figures
where metric <> 'other_churns'
order by 1, 2
