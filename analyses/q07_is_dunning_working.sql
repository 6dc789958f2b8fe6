-- Is dunning working? What each message led to.
select
    message_kind,
    step,
    messages_sent,
    open_rate,
    click_rate,
    paid_within_7d_rate,
    paid_after_click_rate,
    paid_within_7d_usd
from {{ ref('mart_dunning_funnel') }}
order by step, message_kind
