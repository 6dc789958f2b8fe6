-- Billed, collected, refunded and MRR from invoices, attempts, refunds and subscription events. ALL is its own sum, not the plans'.
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
in_force as materialized (
    -- The plan that the subscription was on when the invoice was made; the models look at the invoice's lines instead.
    select distinct on (invoice.invoice_id)
        invoice.invoice_id,
        price.plan_id
    from raw.invoices as invoice
    join raw.subscription_events as event
        on event.subscription_id = invoice.subscription_id and event.effective_at <= invoice.created_at
    join raw.prices as price using (price_id)
    order by invoice.invoice_id, event.effective_at desc, event.event_id desc
),
invoice as materialized (
    select
        i.*,
        in_force.plan_id as plan,
        to_char(i.due_at at time zone 'UTC', 'YYYY-MM') as due_month,
        to_char(i.paid_at at time zone 'UTC', 'YYYY-MM') as paid_month,
        i.finalized_at is not null and i.status <> 'void' as billed,
        round(i.total * fx.usd_per_minor, 2) as total_usd,
        round(i.amount_due * fx.usd_per_minor, 2) as due_usd,
        round(i.amount_paid * fx.usd_per_minor, 2) as paid_usd
    from raw.invoices as i
    join raw.customers as c on c.customer_id = i.customer_id and not c.is_test
    join fx on fx.currency = i.currency
    join in_force on in_force.invoice_id = i.invoice_id
),
tries as materialized (
    select invoice_id, bool_or(outcome = 'failed') as failed
    from raw.payment_attempts
    group by invoice_id
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
booked as materialized (
    -- One row per booking: its month, plan, metric and value.
    select due_month as month, plan, figure.metric, figure.value
    from invoice
    left join tries using (invoice_id)
    cross join lateral (
        values
            ('invoices_billed', 1::numeric),
            ('billed_usd', total_usd),
            ('billed_tax_usd', (select round(invoice.tax * fx.usd_per_minor, 2) from fx where fx.currency = invoice.currency)),
            ('credit_applied_usd', total_usd - due_usd),
            ('collected_usd', paid_usd),
            ('billed_on_first_try_usd', case when not failed then paid_usd end),
            ('billed_on_retry_usd', case when failed then paid_usd end),
            ('outstanding_usd', case when status = 'open' then due_usd - paid_usd end),
            ('written_off_usd', case when status = 'uncollectible' then due_usd - paid_usd end),
            ('collected_net_usd', paid_usd)
    ) as figure (metric, value)
    where billed
    union all
    select to_char(payment.month at time zone 'UTC', 'YYYY-MM'), plan, figure.metric, payment.usd
    from payment
    join invoice using (invoice_id)
    cross join (values ('cash_collected_usd'), ('cash_net_usd')) as figure (metric)
    union all
    select
        case when figure.metric in ('refunded_usd', 'collected_net_usd') then invoice.due_month
        else to_char(refund.succeeded_at at time zone 'UTC', 'YYYY-MM') end,
        invoice.plan,
        figure.metric,
        figure.sign * round(refund.amount * fx.usd_per_minor, 2)
    from raw.refunds as refund
    join invoice using (invoice_id)
    join fx on fx.currency = refund.currency
    cross join (
        values ('refunded_usd', 1), ('collected_net_usd', -1), ('cash_refunded_usd', 1), ('cash_net_usd', -1)
    ) as figure (metric, sign)
    where refund.status = 'succeeded'
    union all
    select
        case when figure.metric in ('lost_disputes_usd', 'collected_net_usd') then invoice.due_month
        else to_char(dispute.resolved_at at time zone 'UTC', 'YYYY-MM') end,
        invoice.plan,
        figure.metric,
        figure.sign * round(dispute.amount * fx.usd_per_minor, 2)
    from raw.disputes as dispute
    join invoice using (invoice_id)
    join fx on fx.currency = dispute.currency
    cross join (
        values ('lost_disputes_usd', 1), ('collected_net_usd', -1), ('cash_lost_disputes_usd', 1), ('cash_net_usd', -1)
    ) as figure (metric, sign)
    where dispute.status = 'lost'
),
last_event as materialized (
    -- What each paid, unended subscription was on when the month was measured: the last event before it.
    select distinct on (month.month, subscription.subscription_id)
        to_char(month.month at time zone 'UTC', 'YYYY-MM') as month,
        price.plan_id as plan,
        subscription.customer_id,
        round(price.unit_minor * event.quantity / case price."interval" when 'year' then 12.0 else 1.0 end) as list_minor,
        round(
            price.unit_minor * event.quantity * (1 - coalesce(discount.percent_off, 0) / 100.0)
            / case price."interval" when 'year' then 12.0 else 1.0 end
        ) as net_minor,
        fx.usd_per_minor,
        event.type as event_type
    from months as month
    join raw.subscriptions as subscription
        on subscription.activated_at < month.measured_at
        and coalesce(subscription.ended_at >= month.measured_at, true)
    join raw.customers as customer on customer.customer_id = subscription.customer_id and not customer.is_test
    join raw.subscription_events as event
        on event.subscription_id = subscription.subscription_id and event.effective_at < month.measured_at
    join raw.prices as price on price.price_id = event.price_id
    join fx on fx.currency = price.currency
    left join raw.discounts as discount on discount.discount_id = event.discount_id
    order by month.month, subscription.subscription_id, event.effective_at desc, event.event_id desc
),
held as materialized (
    -- Nothing happens in a pause, so its beginning is then the last event.
    select * from last_event where event_type <> 'paused'
),
recurring as materialized (
    select
        month,
        plan,
        count(distinct customer_id) filter (where net_minor > 0) as paying,
        sum(round(list_minor * usd_per_minor, 2)) as list_usd,
        sum(round(net_minor * usd_per_minor, 2)) as net_usd
    from held
    group by grouping sets ((month, plan), (month))
),
figures as materialized (
    select metric, month, coalesce(plan, 'ALL') as plan, sum(value) as value
    from booked
    group by metric, grouping sets ((month, plan), (month))
    union all
    select figure.metric, month, coalesce(plan, 'ALL'), figure.value
    from recurring
    cross join lateral (
        values ('paying_customers', paying::numeric), ('mrr_list_usd', list_usd), ('mrr_net_usd', net_usd)
    ) as figure (metric, value)
)
select metric, month || ' ' || plan as period, value::numeric(24, 6) as value
from figures
-- Invoices with terms may be due in a month to come: it is not in the mart yet.
where value <> 0 and month <= (select max(to_char(months.month at time zone 'UTC', 'YYYY-MM')) from months)
order by 1, 2
