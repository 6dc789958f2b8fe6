-- Grain: one row per stratum (all, plan) and month ahead (1 to 6): of the customers who paid six months before the last full month's
-- end, how many would still be expected to pay from lives as they were known then, and how many did. Hazards by month of
-- age lean on nothing; ages that nobody had reached have the hazard of the last six, as in mart_ltv_survival.
with cutoff as (

    select
        cutoff_date,
        {{ day_start('cutoff_date') }} as cutoff_at
    from (
        select (date_trunc('month', as_of_date::timestamp) - interval '6 months')::date as cutoff_date
        from {{ ref('as_of') }}
    ) as chosen

),

life as (

    select
        lifetime.customer_id,
        stratum.stratum,
        stratum.stratum_value,
        cutoff.cutoff_date,
        lifetime.ended_at,
        lifetime.ended_at is null or lifetime.ended_at >= cutoff.cutoff_at as was_alive,
        floor(
            extract(epoch from least(lifetime.ended_at, cutoff.cutoff_at) - lifetime.started_at) / 86400 / 30.4375
        )::integer as age_months
    from {{ ref('int_customer_lifetime') }} as lifetime
    cross join cutoff
    cross join lateral (values ('all', 'ALL'), ('plan', lifetime.plan_id)) as stratum (stratum, stratum_value)
    where lifetime.started_at < cutoff.cutoff_at

),

-- Who was still paying is seen for half of its last month, so it counts half.
aged as (

    select
        listed.stratum,
        listed.stratum_value,
        age.age_months,
        listed.oldest_months,
        count(*) filter (where life.age_months > age.age_months or not life.was_alive)
        + 0.5 * count(*) filter (where life.age_months = age.age_months and life.was_alive) as watched,
        count(*) filter (where life.age_months = age.age_months and not life.was_alive) as ended
    from (
        select
            stratum,
            stratum_value,
            max(age_months) as oldest_months
        from life
        group by stratum, stratum_value
    ) as listed
    cross join lateral generate_series(0, listed.oldest_months) as age (age_months)
    inner join life
        on life.stratum = listed.stratum and life.stratum_value = listed.stratum_value and life.age_months >= age.age_months
    group by listed.stratum, listed.stratum_value, age.age_months, listed.oldest_months

),

tail as (

    select
        stratum,
        stratum_value,
        sum(ended) / nullif(sum(watched), 0) as hazard
    from aged
    where age_months > oldest_months - 6
    group by stratum, stratum_value

),

hazard as (

    select
        tail.stratum,
        tail.stratum_value,
        age.age_months,
        least(coalesce(aged.ended / nullif(aged.watched, 0), tail.hazard, 0), 1) as hazard
    from tail
    cross join lateral generate_series(
        0, (select max(oldest.age_months) + 6 from aged as oldest)
    ) as age (age_months)
    left join aged
        on aged.stratum = tail.stratum and aged.stratum_value = tail.stratum_value and aged.age_months = age.age_months

),

-- How likely a life of an age goes on for so many months. In the middle of its month it has half of that month's hazard before it.
ahead as (

    select
        start.stratum,
        start.stratum_value,
        start.age_months,
        month.months_ahead,
        case when min(1 - later.hazard) > 0 then exp(sum(
            ln(1 - later.hazard) * case
                when later.age_months in (start.age_months, start.age_months + month.months_ahead) then 0.5
                else 1
            end
        ) filter (where later.hazard < 1)) else 0 end as survival
    from hazard as start
    cross join generate_series(1, 6) as month (months_ahead)
    inner join hazard as later
        on later.stratum = start.stratum
        and later.stratum_value = start.stratum_value
        and later.age_months between start.age_months and start.age_months + month.months_ahead
    group by start.stratum, start.stratum_value, start.age_months, month.months_ahead

),

compared as (

    select
        life.stratum,
        life.stratum_value,
        life.cutoff_date,
        ahead.months_ahead,
        count(*) as customers,
        sum(ahead.survival) as expected,
        count(*) filter (
            where
                life.ended_at is null
                or life.ended_at >= {{ day_start("life.cutoff_date + ahead.months_ahead * interval '1 month'") }}
        ) as actual
    from life
    inner join ahead
        on ahead.stratum = life.stratum and ahead.stratum_value = life.stratum_value and ahead.age_months = life.age_months
    where life.was_alive
    group by life.stratum, life.stratum_value, life.cutoff_date, ahead.months_ahead

)

select
    stratum,
    stratum_value,
    months_ahead,
    cutoff_date,
    customers,
    round(expected, 2) as expected_customers,
    actual as actual_customers,
    round(expected / customers, 6) as expected_rate,
    round(actual::numeric / customers, 6) as actual_rate
from compared
