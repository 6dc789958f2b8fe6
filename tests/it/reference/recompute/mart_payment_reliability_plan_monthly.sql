-- From raw invoices and attempts: what was due and charged automatically, and how that went. Rates from their own sums.
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
tried as materialized (
    select
        invoice.*,
        cardinality(outcomes) - cardinality(array_positions(outcomes, 'pending')) as attempts,
        cardinality(array_positions(outcomes, 'failed')) as failures,
        outcomes[1] = 'failed' as failed_first,
        failed_at,
        to_char(first_at at time zone 'UTC', 'YYYY-MM') as first_month
    from invoice
    left join (
        select
            invoice_id,
            array_agg(outcome order by attempt_number) as outcomes,
            min(attempted_at) as first_at,
            min(settled_at) filter (where outcome = 'failed') as failed_at
        from raw.payment_attempts
        group by invoice_id
    ) as attempt using (invoice_id)
    where collection_method = 'charge_automatically' and amount_due > 0 and status <> 'draft'
),
one as materialized (
    select
        due_month || ' ' || plan as period,
        first_month || ' ' || plan as attempt_period,
        tried.*,
        coalesce(attempts, 0) > 0 as was_tried,
        coalesce(failures, 0) > 0 as failed,
        due_at + interval '30 days' <= as_of.at as mature,
        as_of.at - failed_at as seen,
        paid_at - failed_at as mended
    from tried
    cross join as_of
),
figures as materialized (
    select period, figure.metric, sum(figure.value) as value
    from one
    cross join lateral (
        values
            ('invoices', 1::numeric),
            ('invoices_attempted', was_tried::int),
            ('attempts', attempts),
            ('failed_attempts', failures),
            ('invoices_with_1_attempt', (attempts = 1)::int),
            ('invoices_with_2_attempts', (attempts = 2)::int),
            ('invoices_with_3_attempts', (attempts = 3)::int),
            ('invoices_with_4_or_more_attempts', (attempts > 3)::int),
            ('first_attempt_failures', failed_first::int),
            ('mature_invoices_attempted', (was_tried and mature)::int),
            ('final_failures', (was_tried and mature and status = 'uncollectible')::int),
            ('failed_invoices', failed::int),
            ('recovered_invoices', (failed and status = 'paid')::int),
            ('in_dunning_invoices', (failed and status = 'open')::int),
            ('written_off_invoices', (failed and status = 'uncollectible')::int),
            ('voided_invoices', (failed and status = 'void')::int),
            ('failed_usd', failed::int * due_usd),
            ('recovered_usd', failed::int * paid_usd),
            ('in_dunning_usd', (failed and status = 'open')::int * (due_usd - paid_usd)),
            ('written_off_usd', (failed and status = 'uncollectible')::int * (due_usd - paid_usd)),
            ('voided_usd', (failed and status = 'void')::int * due_usd),
            ('observable_7d_invoices', (failed and seen >= interval '7 days')::int),
            ('recovered_7d_invoices', (failed and status = 'paid' and seen >= interval '7 days' and mended <= interval '7 days')::int),
            ('observable_14d_invoices', (failed and seen >= interval '14 days')::int),
            ('recovered_14d_invoices', (failed and status = 'paid' and seen >= interval '14 days' and mended <= interval '14 days')::int),
            ('observable_30d_invoices', (failed and seen >= interval '30 days')::int),
            ('recovered_30d_invoices', (failed and status = 'paid' and seen >= interval '30 days' and mended <= interval '30 days')::int)
    ) as figure (metric, value)
    group by period, figure.metric
    union all
    select attempt_period, figure.metric, sum(figure.value)
    from one
    cross join lateral (
        values ('attempt_month_invoices', 1), ('attempt_month_first_failures', failed_first::int)
    ) as figure (metric, value)
    where was_tried
    group by attempt_period, figure.metric
),
rates as materialized (
    select over.period, rate.metric, round(over.value / nullif(under.value, 0), 6) as value
    from (
        values
            ('first_attempt_failure_rate', 'first_attempt_failures', 'invoices_attempted'),
            ('attempt_failure_rate', 'failed_attempts', 'attempts'),
            ('final_failure_rate', 'final_failures', 'mature_invoices_attempted'),
            ('avg_attempts', 'attempts', 'invoices_attempted'),
            ('recovery_rate', 'recovered_invoices', 'failed_invoices'),
            ('recovery_value_rate', 'recovered_usd', 'failed_usd'),
            ('leakage_rate', 'written_off_usd', 'failed_usd'),
            ('recovery_7d_rate', 'recovered_7d_invoices', 'observable_7d_invoices'),
            ('recovery_14d_rate', 'recovered_14d_invoices', 'observable_14d_invoices'),
            ('recovery_30d_rate', 'recovered_30d_invoices', 'observable_30d_invoices'),
            ('attempt_month_first_failure_rate', 'attempt_month_first_failures', 'attempt_month_invoices')
    ) as rate (metric, numerator, denominator)
    join figures as over on over.metric = rate.numerator
    join figures as under on under.metric = rate.denominator and under.period = over.period
)
select metric, period, value::numeric(24, 6) as value
from (select metric, period, value from figures union all select metric, period, value from rates) as listed
where value <> 0
order by 1, 2
