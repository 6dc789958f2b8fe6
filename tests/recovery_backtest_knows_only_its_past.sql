-- What the backtest expected of a month follows from the episodes that began at least a whole month before it.
with expected as (

    select
        backtest.month_start,
        backtest.expected_usd,
        sum(episode.failed_usd * (
            (
                known.recovered + 20 * (known.all_recovered + 1) / (known.all_episodes + 2)
            ) / (known.episodes + 20)
        )) as expected_then_usd
    from {{ ref('mart_recovery_backtest') }} as backtest
    inner join {{ ref('fct_dunning_episode') }} as episode
        on episode.opened_date >= backtest.month_start
        and episode.opened_date < (backtest.month_start + interval '1 month')::date
    cross join lateral (
        select
            count(*) filter (where earlier.first_reason_category = episode.first_reason_category) as episodes,
            count(*) filter (
                where earlier.first_reason_category = episode.first_reason_category
                and earlier.episode_outcome = 'recovered' and earlier.days_to_recovery <= 30
            )::numeric as recovered,
            count(*)::numeric as all_episodes,
            count(*) filter (
                where earlier.episode_outcome = 'recovered' and earlier.days_to_recovery <= 30
            )::numeric as all_recovered
        from {{ ref('fct_dunning_episode') }} as earlier
        where earlier.opened_date < (backtest.month_start - interval '1 month')::date
    ) as known
    group by backtest.month_start, backtest.expected_usd

)

select *
from expected
where abs(expected_usd - expected_then_usd) > 0.01
