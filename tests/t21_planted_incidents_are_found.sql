{{ config(tags=['truth']) }}

-- T21: an incident that stands out from what chance does is found, and at once. The incident says by which factor it raises (or
-- lowers) a count; from the twelve weeks before follows what that makes here. Where even that count would not be far enough
-- beyond the usual one (a small company has one or two such failures a month), no alert is asked for.
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

-- The usual count of as many days as the incident lasts, a week at most: alerts look no further. Of users the same weekday counts.
expected as (

    select
        incident.incident_id,
        incident.factor,
        avg(series.value) * least(incident.ends_on - incident.starts_on + 1, 7) as usual
    from incident
    inner join {{ ref('int_daily_series') }} as series
        on series.metric = incident.metric
        and series.cut_value = incident.cut_value
        and series.activity_date between incident.starts_on - 84 and incident.starts_on - 1
        and (incident.metric <> 'active_users' or (incident.starts_on - series.activity_date) % 7 = 0)
    group by incident.incident_id, incident.factor, incident.starts_on, incident.ends_on
    having count(*) >= 8

),

-- In all but one in forty cases chance leaves this much of a raised count; a lowered one is judged alike.
stands_out as (

    select
        expected.incident_id,
        case
            when factor > 1
                then factor * usual - 2 * sqrt(factor * usual) >= 3 and
                    (factor * usual - 2 * sqrt(factor * usual) - usual) / sqrt(greatest(usual, 1)) >= 3.5 * 1.5
            else (usual - factor * usual - 2 * sqrt(usual)) / sqrt(greatest(usual, 1)) >= 3.5 * 1.5
        end as stands_out
    from expected

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
