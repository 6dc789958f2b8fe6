-- The five KPIs for the last closed (or mature) month and the one before, each from raw by itself.
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
kpi_month as materialized (
    select
        kpi.name,
        kpi.back,
        (
            select max(month) from months
            where case when kpi.name = 'average_payment_attempts' then is_mature else is_closed end
        ) - kpi.back * interval '1 month' as month
    from (
        select name, back
        from unnest(
            array[
                'total_revenue', 'paying_customers', 'payment_failure_rate', 'average_payment_attempts', 'cancel_intent_rate'
            ]
        ) as name
        cross join (values (0), (1)) as listed (back)
    ) as kpi
),
charged as materialized (
    select
        date_trunc('month', invoice.due_at, 'UTC') as month,
        count(*) filter (where attempt.outcome in ('succeeded', 'failed')) as attempts,
        bool_or(attempt.outcome = 'failed' and attempt.attempt_number = 1) as failed_first
    from raw.invoices as invoice
    join raw.customers as customer on customer.customer_id = invoice.customer_id and not customer.is_test
    join raw.payment_attempts as attempt on attempt.invoice_id = invoice.invoice_id
    where invoice.collection_method = 'charge_automatically' and invoice.amount_due > 0
    group by invoice.invoice_id, invoice.due_at
    having count(*) filter (where attempt.outcome in ('succeeded', 'failed')) > 0
),
payment as materialized (
    -- Parts of an invoice are rounded so that they add up to it: each takes what is not rounded yet.
    select
        attempt.invoice_id,
        date_trunc('month', attempt.settled_at, 'UTC') as month,
        round(part.so_far * fx.usd_per_minor, 2) - round((part.so_far - attempt.amount) * fx.usd_per_minor, 2) as usd
    from raw.payment_attempts as attempt
    join raw.invoices as invoice on invoice.invoice_id = attempt.invoice_id
    join raw.customers as customer on customer.customer_id = invoice.customer_id and not customer.is_test
    join fx on fx.currency = attempt.currency
    cross join lateral (
        select sum(earlier.amount) as so_far
        from raw.payment_attempts as earlier
        where earlier.invoice_id = attempt.invoice_id and earlier.outcome = 'succeeded'
            and earlier.settled_at <= attempt.settled_at
    ) as part
    where attempt.outcome = 'succeeded'
),
moved as materialized (
    select month, usd
    from payment
    union all
    select date_trunc('month', refund.succeeded_at, 'UTC'), -round(refund.amount * fx.usd_per_minor, 2)
    from raw.refunds as refund
    join raw.customers as customer on customer.customer_id = refund.customer_id and not customer.is_test
    join fx on fx.currency = refund.currency
    where refund.status = 'succeeded'
    union all
    select date_trunc('month', dispute.resolved_at, 'UTC'), -round(dispute.amount * fx.usd_per_minor, 2)
    from raw.disputes as dispute
    join raw.customers as customer on customer.customer_id = dispute.customer_id and not customer.is_test
    join fx on fx.currency = dispute.currency
    where dispute.status = 'lost'
),
paid_subscription as materialized (
    select subscription.customer_id, subscription.activated_at, coalesce(subscription.ended_at, 'infinity') as ended_at
    from paid_stretch as subscription
    join raw.customers as customer on customer.customer_id = subscription.customer_id and not customer.is_test
    where subscription.activated_at is not null
),
intent as materialized (
    select customer_id, date_trunc('month', occurred_at, 'UTC') as month
    from raw.product_events
    where name = 'cancel_page_viewed'
    union
    select customer_id, date_trunc('month', occurred_at, 'UTC')
    from raw.churn_events
    where event_type = 'cancel_requested'
),
valued as materialized (
    select
        kpi_month.*,
        case kpi_month.name
            when 'total_revenue' then (select sum(usd) from moved where moved.month = kpi_month.month)
            when 'paying_customers' then (
                -- No discount in raw is 100 %, so whoever holds a paid subscription pays.
                select count(distinct customer_id)
                from paid_subscription
                where activated_at < kpi_month.month + interval '1 month' and ended_at >= kpi_month.month + interval '1 month'
            )
            when 'payment_failure_rate' then (
                select round(count(*) filter (where failed_first)::numeric / nullif(count(*), 0), 6)
                from charged where charged.month = kpi_month.month
            )
            when 'average_payment_attempts' then (
                select round(sum(attempts) / nullif(count(*), 0), 6) from charged where charged.month = kpi_month.month
            )
            when 'cancel_intent_rate' then (
                select
                    round(
                        count(distinct paid_subscription.customer_id) filter (where intent.customer_id is not null)::numeric
                        / nullif(count(distinct paid_subscription.customer_id), 0), 6
                    )
                from paid_subscription
                left join intent
                    on intent.customer_id = paid_subscription.customer_id and intent.month = kpi_month.month
                where activated_at < kpi_month.month + interval '1 month' and ended_at > kpi_month.month
            )
        end as value
    from kpi_month
)
select
    name || case when back = 1 then ' before' else '' end as metric,
    to_char(month at time zone 'UTC', 'YYYY-MM') as period,
    value::numeric(24, 6) as value
from valued
where value is not null and month in (select month from months)
order by 1, 2
