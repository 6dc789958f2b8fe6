-- Each customer's present state from raw.subscriptions' own columns, with money and use beside it, summed by state.
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
present as materialized (
    -- The models derive the state from the events; raw.subscriptions says it by itself.
    select
        subscription.customer_id,
        bool_or(subscription.status = 'past_due') as past_due,
        bool_or(subscription.status = 'active') as active,
        bool_or(subscription.status = 'trialing') as trialing,
        bool_or(subscription.status = 'paused') as paused,
        bool_or(subscription.activated_at is not null) as ever_paid,
        coalesce(sum(subscription.quantity) filter (where subscription.status in ('active', 'past_due')), 0) as seats,
        coalesce(
            sum(
                round(
                    round(
                        price.unit_minor * subscription.quantity * (1 - coalesce(discount.percent_off, 0) / 100.0)
                        / case price."interval" when 'year' then 12.0 else 1.0 end
                    ) * fx.usd_per_minor, 2
                )
            ) filter (where subscription.status in ('active', 'past_due')), 0
        ) as mrr_usd
    from raw.subscriptions as subscription
    join raw.prices as price on price.price_id = subscription.price_id
    join fx on fx.currency = price.currency
    left join (
        select distinct on (subscription_id) subscription_id, discount_id
        from raw.subscription_events
        order by subscription_id, effective_at desc, event_id desc
    ) as last_event on last_event.subscription_id = subscription.subscription_id
    left join raw.discounts as discount on discount.discount_id = last_event.discount_id
    group by subscription.customer_id
),
money as materialized (
    select
        invoice.customer_id,
        sum(round(invoice.total * fx.usd_per_minor, 2)) as billed_usd,
        sum(round(invoice.amount_paid * fx.usd_per_minor, 2)) as collected_usd,
        sum(round(invoice.amount_due * fx.usd_per_minor, 2) - round(invoice.amount_paid * fx.usd_per_minor, 2)) filter (
            where invoice.status = 'open' and invoice.due_at < as_of.at
        ) as past_due_usd
    from raw.invoices as invoice
    join fx on fx.currency = invoice.currency
    cross join as_of
    where invoice.status not in ('draft', 'void') and invoice.finalized_at is not null
    group by invoice.customer_id
),
back as materialized (
    select customer_id, sum(round(taken.amount * fx.usd_per_minor, 2)) as refunded_usd
    from (
        select customer_id, currency, amount from raw.refunds where status = 'succeeded'
        union all
        select customer_id, currency, amount from raw.disputes where status = 'lost'
    ) as taken
    join fx on fx.currency = taken.currency
    group by customer_id
),
trouble as materialized (
    select
        invoice.customer_id,
        count(*) as episodes,
        bool_or(invoice.status = 'open') as in_dunning,
        bool_or(coalesce(invoice.uncollectible_at, invoice.voided_at) >= as_of.at - interval '90 days') as exhausted,
        bool_or(invoice.paid_at >= as_of.at - interval '60 days') as recovered
    from raw.invoices as invoice
    cross join as_of
    where
        invoice.collection_method = 'charge_automatically'
        and invoice.amount_due > 0
        and exists (
            select 1 from raw.payment_attempts as attempt
            where attempt.invoice_id = invoice.invoice_id and attempt.outcome = 'failed'
        )
    group by invoice.customer_id
),
days as materialized (
    select distinct
        event.customer_id,
        event.user_id,
        as_of.at::date - (event.occurred_at at time zone 'UTC')::date as days_ago
    from raw.product_events as event
    cross join as_of
    where
        event.name not in ('login', 'billing_page_viewed', 'cancel_page_viewed')
        and event.occurred_at >= as_of.at - interval '56 days'
),
used as materialized (
    select
        customer_id,
        count(distinct user_id) filter (where days_ago <= 28) as users,
        count(*) filter (where days_ago <= 28) as user_days,
        count(*) filter (where days_ago > 28) as user_days_before
    from days
    group by customer_id
),
intent as materialized (
    select event.customer_id
    from raw.product_events as event
    cross join as_of
    where event.name = 'cancel_page_viewed' and event.occurred_at >= as_of.at - interval '28 days'
    union
    select event.customer_id
    from raw.churn_events as event
    cross join as_of
    where event.event_type = 'cancel_requested' and event.occurred_at >= as_of.at - interval '28 days'
),
one as materialized (
    select
        case
            when past_due then 'past_due'
            when active then 'active'
            when trialing then 'trialing'
            when paused then 'paused'
            when ever_paid then 'churned'
            else 'never_activated'
        end as state,
        present.*,
        money.billed_usd,
        money.collected_usd,
        coalesce(money.collected_usd, 0) - coalesce(back.refunded_usd, 0) as net_usd,
        money.past_due_usd,
        trouble.*,
        used.*,
        intent.customer_id is not null as intends
    from raw.customers as customer
    left join present on present.customer_id = customer.customer_id
    left join money on money.customer_id = customer.customer_id
    left join back on back.customer_id = customer.customer_id
    left join trouble on trouble.customer_id = customer.customer_id
    left join used on used.customer_id = customer.customer_id
    left join intent on intent.customer_id = customer.customer_id
    where not customer.is_test
),
figures as materialized (
    select figure.metric, one.state as period, sum(figure.value)::numeric(24, 6) as value
    from one
    cross join lateral (
        values
            ('customers', 1::numeric), ('mrr_net_usd', mrr_usd), ('seats', seats), ('billed_usd', billed_usd),
            ('collected_usd', collected_usd), ('collected_net_usd', net_usd), ('past_due_usd', past_due_usd),
            ('failure_episodes', episodes), ('active_users_28d', users),
            ('user_days_28d', user_days), ('user_days_28d_before', user_days_before),
            ('cancel_intent', intends::int), ('in_dunning', in_dunning::int),
            ('exhausted', (exhausted and not in_dunning)::int),
            ('recovered_recently', (recovered and not in_dunning and exhausted is not true)::int)
    ) as figure (metric, value)
    group by figure.metric, one.state
)
select metric, period, value
from figures
where value <> 0
order by 1, 2
