-- Grain: one row per kind and step of the messages about failed payments: sent, opened, clicked, and paid within a week.
-- Only messages that are a week old count, so that each had its week.
with message as (

    select
        event.message_kind,
        event.step,
        event.opened_at is not null as is_opened,
        event.clicked_at is not null as is_clicked,
        episode.failed_usd,
        coalesce(
            episode.episode_outcome = 'recovered'
            and episode.closed_at >= event.sent_at
            and episode.closed_at <= event.sent_at + interval '7 days', false
        ) as is_paid_within_7d
    from {{ ref('stg_dunning_events') }} as event
    inner join {{ ref('fct_dunning_episode') }} as episode on episode.episode_id = event.invoice_id
    cross join {{ ref('as_of') }} as as_of
    where event.sent_at + interval '7 days' <= as_of.as_of_at

),

counted as (

    select
        message_kind,
        step,
        count(*) as messages_sent,
        count(*) filter (where is_opened) as messages_opened,
        count(*) filter (where is_clicked) as messages_clicked,
        count(*) filter (where is_paid_within_7d) as paid_within_7d,
        count(*) filter (where is_paid_within_7d and is_clicked) as paid_after_click,
        sum(failed_usd) as asked_usd,
        coalesce(sum(failed_usd) filter (where is_paid_within_7d), 0.00) as paid_within_7d_usd
    from message
    group by message_kind, step

)

select
    message_kind,
    step,
    messages_sent,
    messages_opened,
    messages_clicked,
    paid_within_7d,
    asked_usd,
    paid_within_7d_usd,
    {{ rate('messages_opened', 'messages_sent') }} as open_rate,
    {{ rate('messages_clicked', 'messages_sent') }} as click_rate,
    {{ rate('paid_within_7d', 'messages_sent') }} as paid_within_7d_rate,
    {{ rate('paid_after_click', 'messages_clicked') }} as paid_after_click_rate
from counted
