-- A chance of recovery rests on the episodes that began a whole month before its month and were open at the age, by a plain count.
with told as (

    select distinct
        month_start,
        age_days,
        known_episodes
    from {{ ref('int_recovery_chance') }}

)

select
    told.month_start,
    told.age_days,
    told.known_episodes,
    count(episode.episode_id) as episodes_then
from told
left join {{ ref('fct_dunning_episode') }} as episode
    on episode.opened_date < (told.month_start - interval '1 month')::date
    and (episode.closed_at is null or episode.closed_at > episode.opened_at + told.age_days * interval '1 day')
group by told.month_start, told.age_days, told.known_episodes
having told.known_episodes <> count(episode.episode_id)
