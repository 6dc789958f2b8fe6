-- Active users at each month's last day, by the definition: distinct users of the raw events in the window. Only core actions.
with
as_of as materialized (
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
used as materialized (
    select distinct
        event.user_id,
        app_user.platform,
        (event.occurred_at at time zone 'UTC')::date as day
    from raw.product_events as event
    join raw.users as app_user on app_user.user_id = event.user_id
    join raw.customers as customer on customer.customer_id = event.customer_id and not customer.is_test
    where event.name not in ('login', 'billing_page_viewed', 'cancel_page_viewed')
),
last_day as (
    select (month + interval '1 month - 1 day')::date as day
    from as_of
    cross join generate_series(
        (select date_trunc('month', min(day)::timestamp) from used), as_of.at at time zone 'UTC' - interval '1 month', interval '1 month'
    ) as month
),
counted as (
    select
        last_day.day,
        cut.cut,
        count(distinct used.user_id) filter (where used.day = last_day.day) as dau,
        count(distinct used.user_id) filter (where used.day > last_day.day - 7) as wau,
        count(distinct used.user_id) as mau
    from last_day
    join used on used.day between last_day.day - 27 and last_day.day
    cross join lateral (values ('all ALL'), ('platform ' || used.platform)) as cut (cut)
    group by last_day.day, cut.cut
)
select figure.metric || ' ' || cut as metric, day::text as period, figure.value::numeric(24, 6) as value
from counted
cross join lateral (values ('dau', dau), ('wau', wau), ('mau', mau)) as figure (metric, value)
where figure.value <> 0
order by 1, 2
