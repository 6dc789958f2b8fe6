-- What moved MRR, from subscription events: each month's two ends are looked up event by event and set side by side per
-- customer; no versions, no ledgers. Whether a customer ever paid before is asked of the events too.
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
        least(start + interval '1 month', as_of.at) as measured_at
    from as_of
    cross join generate_series(
        (select date_trunc('month', min(signup_at), 'UTC') from raw.customers),
        as_of.at - interval '1 microsecond',
        interval '1 month'
    ) as start
),
event as materialized (
    select
        event.subscription_id,
        event.customer_id,
        customer.channel,
        customer.country::text as country,
        event.effective_at,
        row_number() over (
            partition by event.subscription_id order by event.effective_at, event.received_at, length(event.event_id), event.event_id
        ) as position,
        case
            when event.type in ('started', 'trial_converted', 'recovered', 'resumed', 'past_due') then true
            when event.type in ('trial_started', 'paused', 'ended') then false
        end as pays,
        price.plan_id,
        fx.usd_per_minor * round(
            greatest(
                price.unit_minor * event.quantity * (100 - coalesce(discount.percent_off, 0)) / 100.0
                - coalesce(discount.amount_off, 0), 0
            ) / case price.interval when 'year' then 12 else 1 end
        ) as monthly_usd
    from raw.subscription_events as event
    join raw.customers as customer on customer.customer_id = event.customer_id and not customer.is_test
    join raw.prices as price on price.price_id = event.price_id
    join fx on fx.currency = price.currency
    left join raw.discounts as discount on discount.discount_id = event.discount_id
),
paying as materialized (
    -- Whether the subscription pays after each event, and what: the last of one instant holds.
    select
        numbered.*,
        said.pays as is_paying
    from (
        select
            event.*,
            max(position) filter (where pays is not null) over (partition by subscription_id order by position) as said_at,
            lead(effective_at) over (partition by subscription_id order by position) is distinct from effective_at as holds
        from event
    ) as numbered
    left join event as said on said.subscription_id = numbered.subscription_id and said.position = numbered.said_at
),
first_paid as materialized (
    select customer_id, date_trunc('month', min(effective_at), 'UTC') as month
    from paying
    where holds and is_paying and round(monthly_usd, 2) > 0
    group by customer_id
),
standing as materialized (
    select
        months.month,
        last_event.customer_id,
        last_event.channel,
        last_event.country,
        last_event.plan_id,
        round(last_event.monthly_usd, 2) as usd
    from months
    cross join lateral (
        select distinct on (subscription_id) *
        from paying
        where effective_at < months.measured_at
        order by subscription_id, position desc
    ) as last_event
    where last_event.is_paying and round(last_event.monthly_usd, 2) > 0
),
customer_end as (
    select month, customer_id, min(channel) as channel, min(country) as country, sum(usd) as usd
    from standing
    group by month, customer_id
),
pair as (
    select
        months.month,
        customer.customer_id,
        customer.channel,
        customer.country,
        coalesce(before.usd, 0) as opened,
        coalesce(after.usd, 0) as closed
    from months
    cross join (select distinct customer_id, channel, country from customer_end) as customer
    left join customer_end as before
        on before.customer_id = customer.customer_id and before.month = months.month - interval '1 month'
    left join customer_end as after on after.customer_id = customer.customer_id and after.month = months.month
    where before.usd is not null or after.usd is not null
),
moved as (
    select
        to_char(pair.month at time zone 'UTC', 'YYYY-MM') as month,
        cut.cut,
        pair.opened,
        pair.closed,
        pair.opened = 0 and first_paid.month = pair.month as is_new,
        pair.opened = 0 and first_paid.month < pair.month as is_back
    from pair
    join first_paid on first_paid.customer_id = pair.customer_id
    cross join lateral (
        values ('all ALL'), ('channel ' || pair.channel), ('country ' || pair.country)
    ) as cut (cut)
),
by_plan as (
    select
        to_char(month at time zone 'UTC', 'YYYY-MM') as month,
        'plan ' || plan_id as cut,
        sum(usd) as closed,
        count(distinct customer_id) as customers
    from standing
    group by month, plan_id
),
figures (metric, period, value) as (
    select 'opening_usd ' || cut, month, sum(opened) from moved group by cut, month
    union all
    select 'new_usd ' || cut, month, sum(closed) filter (where is_new) from moved group by cut, month
    union all
    select 'reactivation_usd ' || cut, month, sum(closed) filter (where is_back) from moved group by cut, month
    union all
    select 'expansion_usd ' || cut, month, sum(closed - opened) filter (where opened > 0 and closed > opened) from moved group by cut, month
    union all
    select 'contraction_usd ' || cut, month, sum(opened - closed) filter (where closed > 0 and closed < opened) from moved group by cut, month
    union all
    select 'churn_usd ' || cut, month, sum(opened) filter (where closed = 0) from moved group by cut, month
    union all
    select 'closing_usd ' || cut, month, sum(closed) from moved group by cut, month
    union all
    select 'new_customers ' || cut, month, count(*) filter (where is_new) from moved group by cut, month
    union all
    select 'churned_customers ' || cut, month, count(*) filter (where closed = 0) from moved group by cut, month
    union all
    select 'closing_usd ' || cut, month, closed from by_plan
    union all
    select 'closing_customers ' || cut, month, customers from by_plan
)
select metric, period, value::numeric(24, 6) as value
from figures
where value <> 0
order by 1, 2
