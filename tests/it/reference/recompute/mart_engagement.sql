-- Use of subscribed customers by month, straight from the product events.
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
use as materialized (
    -- Core actions: all but logins and account pages.
    select
        event.*,
        event.name not in ('login', 'billing_page_viewed', 'cancel_page_viewed') as core,
        (event.occurred_at at time zone 'UTC')::date as day,
        to_char(event.occurred_at at time zone 'UTC', 'YYYY-MM') as month
    from raw.product_events as event
),
subscribed as materialized (
    -- Customers with a paid subscription at any time of the month.
    select distinct to_char(month.month at time zone 'UTC', 'YYYY-MM') as month, subscription.customer_id
    from months as month
    join paid_stretch as subscription
        on subscription.activated_at < month.measured_at
        and coalesce(subscription.ended_at > month.month, true)
    join raw.customers as customer on customer.customer_id = subscription.customer_id and not customer.is_test
),
used as materialized (
    select
        month,
        customer_id,
        count(distinct user_id) filter (where core) as active_users,
        count(distinct (user_id, day)) filter (where core) as active_user_days,
        count(distinct day) filter (where core) as active_days,
        count(distinct (user_id, day, session_id)) as sessions,
        sum(actions) filter (where core) as core_actions,
        count(distinct feature) filter (where core) as features_used,
        count(*) filter (where name = 'cancel_page_viewed') as cancel_page_views
    from use
    group by month, customer_id
),
asked as materialized (
    select to_char(occurred_at at time zone 'UTC', 'YYYY-MM') as month, customer_id, count(*) as cancel_requests
    from raw.churn_events
    where event_type = 'cancel_requested'
    group by 1, 2
),
one as materialized (
    select subscribed.month, subscribed.customer_id, used.active_users, used.active_user_days, used.active_days, used.sessions,
        used.core_actions, used.features_used, used.cancel_page_views, asked.cancel_requests
    from subscribed
    left join used using (month, customer_id)
    left join asked using (month, customer_id)
),
summed as materialized (
    select
        month,
        count(*) as subscribed_customers,
        count(*) filter (where active_users > 0) as active_customers,
        sum(active_users) as active_users,
        sum(active_user_days) as active_user_days,
        sum(active_days) as active_days,
        sum(sessions) as sessions,
        sum(core_actions) as core_actions,
        sum(features_used) as features_used,
        sum(cancel_page_views) as cancel_page_views,
        sum(cancel_requests) as cancel_requests,
        count(*) filter (where cancel_page_views > 0 or cancel_requests > 0) as cancel_intent
    from one
    group by month
),
figures as materialized (
    select metric, month as period, value::numeric(24, 6) as value
    from summed
    cross join lateral (
        values
            ('subscribed_customers', subscribed_customers::numeric),
            ('active_customers', active_customers::numeric),
            ('active_users', active_users::numeric),
            ('active_user_days', active_user_days::numeric),
            ('active_days', active_days::numeric),
            ('sessions', sessions::numeric),
            ('core_actions', core_actions::numeric),
            ('features_used', features_used::numeric),
            ('cancel_page_views', cancel_page_views::numeric),
            ('cancel_requests', cancel_requests::numeric),
            ('cancel_intent', cancel_intent::numeric)
    ) as figure (metric, value)
)
select metric, period, value
from figures
where value <> 0
order by 1, 2
