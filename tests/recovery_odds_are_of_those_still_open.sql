-- At each age the odds rest on the episodes that were old enough to be judged and still open at that age, by a plain count.
with expected as (

    select
        age.age_days,
        count(*) filter (
            where episode.closed_at is null or episode.closed_at > episode.opened_at + age.age_days * interval '1 day'
        ) as episodes_open
    from {{ ref('fct_dunning_episode') }} as episode
    cross join {{ ref('as_of') }} as as_of
    cross join generate_series(0, 29) as age (age_days)
    where episode.opened_at <= as_of.as_of_at - interval '30 days'
    group by age.age_days

),

found as (

    select
        age_days,
        sum(episodes_open) as episodes_open
    from {{ ref('int_recovery_odds') }}
    group by age_days

)

select
    found.age_days,
    found.episodes_open,
    expected.episodes_open as expected_open
from found
left join expected on expected.age_days = found.age_days
where found.episodes_open <> coalesce(expected.episodes_open, 0)
