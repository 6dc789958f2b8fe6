{{ config(indexes=[{'columns': ['subscription_id', 'valid_from'], 'unique': true}]) }}

-- Grain: one row per subscription and half-open range [valid_from, valid_to) in which nothing that bears on MRR changed.
with event as (

    select
        event.subscription_id,
        event.customer_id,
        event.effective_at,
        event.received_at,
        event.event_id,
        event.price_id,
        event.quantity,
        event.discount_id,
        case
            when event.event_type = 'trial_started' then 'trialing'
            when event.event_type in ('started', 'trial_converted', 'recovered', 'resumed') then 'active'
            when event.event_type = 'past_due' then 'past_due'
            when event.event_type = 'paused' then 'paused'
            when event.event_type = 'ended' then 'ended'
        end as state_set
    from {{ ref('stg_subscription_events') }} as event
    inner join {{ ref('dim_customer') }} as customer on customer.customer_id = event.customer_id

),

-- Ids carry a running number without leading zeros: the shorter one came first.
-- Most events leave the state as it was: number the stretches that begin where one sets it.
stretched as (

    select
        event.*,
        count(state_set) over in_order as stretch,
        lead(effective_at) over in_order as next_effective_at
    from event
    window in_order as (partition by subscription_id order by effective_at, received_at, length(event_id), event_id)

),

stated as (

    select
        stretched.*,
        max(state_set) over (partition by subscription_id, stretch) as state
    from stretched

),

-- Of events at the same instant only the last holds; the others have an empty range.
lasting as (

    select
        stated.*,
        lag(row(state, price_id, quantity, discount_id)::text) over in_order as before,
        row(state, price_id, quantity, discount_id)::text as now
    from stated
    where next_effective_at is null or next_effective_at > effective_at
    window in_order as (partition by subscription_id order by effective_at, received_at, length(event_id), event_id)

),

ranged as (

    select
        subscription_id,
        customer_id,
        state,
        price_id,
        quantity,
        discount_id,
        effective_at as valid_from,
        lead(effective_at) over (partition by subscription_id order by effective_at) as valid_to,
        row_number() over (partition by subscription_id order by effective_at) as version_number
    from lasting
    where before is distinct from now

),

priced as (

    select
        ranged.*,
        price.plan_id,
        price.billing_interval,
        price.currency,
        ranged.state in ('active', 'past_due') as bears_mrr,
        price.unit_minor * ranged.quantity as period_list_minor,
        price.interval_months,
        {% if var('mrr_discount_policy') == 'forever_only' -%}
        case when discount.duration = 'forever' then discount.percent_off end as percent_off,
        case when discount.duration = 'forever' then discount.amount_off_minor end as amount_off_minor
        {%- else -%}
        discount.percent_off,
        discount.amount_off_minor
        {%- endif %}
    from ranged
    inner join {{ ref('stg_prices') }} as price on price.price_id = ranged.price_id
    left join {{ ref('stg_discounts') }} as discount on discount.discount_id = ranged.discount_id
    where ranged.state <> 'ended'

),

monthly as (

    select
        priced.*,
        case when bears_mrr then round(period_list_minor / interval_months)::bigint else 0 end as mrr_list_minor,
        case
            when bears_mrr then round(
                greatest(
                    period_list_minor * (100 - coalesce(percent_off, 0)) / 100.0 - coalesce(amount_off_minor, 0), 0
                ) / interval_months
            )::bigint
            else 0
        end as mrr_net_minor
    from priced

)

select
    monthly.subscription_id,
    monthly.version_number,
    monthly.customer_id,
    monthly.state,
    monthly.plan_id,
    monthly.price_id,
    monthly.billing_interval,
    monthly.quantity,
    monthly.discount_id,
    monthly.currency,
    monthly.valid_from,
    monthly.valid_to,
    monthly.bears_mrr,
    monthly.mrr_list_minor,
    monthly.mrr_net_minor,
    {{ to_usd('monthly.mrr_list_minor') }} as mrr_list_usd,
    {{ to_usd('monthly.mrr_net_minor') }} as mrr_net_usd
from monthly
inner join {{ ref('fixed_fx_rates') }} as fx on fx.currency = monthly.currency
