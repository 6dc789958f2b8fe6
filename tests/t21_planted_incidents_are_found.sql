{{ config(tags=['truth']) }}

-- T21: an incident that stands out from what chance does is found, and at once. What an incident makes follows from what was planted:
-- each card payment of those days had its customer's own chance to fail, times the reason's share, times the incident's factor; a
-- payment by mistake has its chance to be given back. Counts of the past are no measure of it: a company too small to have
-- two such failures a year would be asked for hundreds on the strength of one. Users alone are many enough for their own past to tell.
with incident as (

    select
        planted.incident_id,
        planted.metric,
        planted.cut_value,
        planted.factor,
        {{ local_date('planted.starts_at') }} as starts_on,
        {{ local_date("planted.ends_at - interval '1 second'") }} as ends_on
    from {{ source('truth', 'incidents') }} as planted
    cross join {{ ref('as_of') }} as as_of
    where planted.ends_at + interval '7 days' <= as_of.as_of_at and planted.kind <> 'january_expiry'

),

-- The usual count of as many days as the incident lasts, a week at most: alerts look no further back. Of users the same weekday counts.
-- Where there are not yet the eight weeks that an alert needs, none is asked for.
expected as (

    select
        incident.incident_id,
        incident.metric,
        incident.factor,
        least(incident.starts_on + 6, incident.ends_on) as judged_until,
        avg(series.value) * case incident.metric when 'refunds' then 7 else least(incident.ends_on - incident.starts_on + 1, 7) end as usual
    from incident
    inner join {{ ref('int_daily_series') }} as series
        on series.metric = incident.metric
        and series.cut_value = incident.cut_value
        and series.activity_date between incident.starts_on - 84 and incident.starts_on - 1
        and (incident.metric <> 'active_users' or (incident.starts_on - series.activity_date) % 7 = 0)
    group by incident.incident_id, incident.metric, incident.factor, incident.starts_on, incident.ends_on
    having min(series.activity_date) <= incident.starts_on - 56

),

-- The chance of each payment of those days to be what the series counts.
chance as (

    select
        incident.incident_id,
        trait.first_failure_chance * reason.value * incident.factor
        / greatest(1, trait.first_failure_chance * (1 + reason.value * (incident.factor - 1))) as chance
    from incident
    inner join expected on expected.incident_id = incident.incident_id
    inner join {{ source('truth', 'effects') }} as reason
        on reason.effect_id = 'failure_reason:card/' || split_part(incident.cut_value, ' / ', greatest(1, (incident.cut_value like '% / %')::integer + 1))
    inner join {{ ref('fct_payment_attempt') }} as attempt
        on attempt.attempted_date between incident.starts_on and expected.judged_until
        and attempt.attempt_number = 1
        and attempt.method_type in ('credit_card', 'debit_card', 'wallet')
        and (incident.metric = 'first_failures' or incident.cut_value like attempt.plan_id || ' / %')
    inner join {{ source('truth', 'customer_traits') }} as trait on trait.customer_id = attempt.customer_id
    where incident.metric in ('first_failures', 'first_failures_by_plan')
    union all
    select
        incident.incident_id,
        least(1, given_back.value * (incident.factor - 1)) as chance
    from incident
    inner join expected on expected.incident_id = incident.incident_id
    inner join {{ source('truth', 'effects') }} as given_back on given_back.effect_id = 'refund:all'
    inner join {{ ref('fct_payment_attempt') }} as attempt
        on attempt.settled_date between incident.starts_on and expected.judged_until
        and attempt.outcome = 'succeeded'
    where incident.metric = 'refunds'

),

-- In all but one in a hundred and sixty cases chance leaves this much of what is made; few users are judged alike.
least_made as (

    select
        expected.incident_id,
        expected.metric,
        expected.usual,
        sum(chance.chance) - 2.5 * sqrt(sum(chance.chance * (1 - chance.chance))) as value
    from expected
    inner join chance on chance.incident_id = expected.incident_id
    group by expected.incident_id, expected.metric, expected.usual
    union all
    select
        incident_id,
        metric,
        usual,
        usual - factor * usual - 2.5 * sqrt(usual)
    from expected
    where metric = 'active_users'

),

-- Three of a kind at least; and as far beyond the usual as an alert is. The usual spread of what hardly ever happens is that of one;
-- of more, the median deviation of twelve values may well be half as much again as the spread.
stands_out as (

    select
        incident_id,
        (metric = 'active_users' or value >= 3)
        and value - case metric when 'active_users' then 0 else usual end
        >= 3.5 * case when usual < 0.25 then 1 else 1.5 * sqrt(greatest(usual, 1)) end as stands_out
    from least_made

),

-- A day later at most for a count of days, within the week for one that needs the week to gather.
found as (

    select
        incident.incident_id,
        min(alert.activity_date) as found_on
    from incident
    inner join {{ ref('mart_alerts') }} as alert
        on (alert.metric = incident.metric and alert.cut_value = incident.cut_value
            or alert.metric || '_by_plan' = incident.metric and incident.cut_value like '% / ' || alert.cut_value)
        and alert.activity_date between incident.starts_on and incident.ends_on + 4
    group by incident.incident_id

)

select incident.*
from incident
inner join stands_out on stands_out.incident_id = incident.incident_id
left join found on found.incident_id = incident.incident_id
where stands_out.stands_out and (found.found_on is null or found.found_on > incident.starts_on + 7)
