{{ config(indexes=[{'columns': ['subscription_id', 'updated_at'], 'unique': true}]) }}

-- Grain: one row per version of a subscription. Append-only: each is taken in once.
with incoming as (

    select
        subscription_id,
        customer_id,
        status,
        price_id,
        quantity,
        currency,
        started_at,
        trial_start,
        trial_end,
        activated_at,
        period_start,
        period_end,
        cancel_requested_at,
        cancel_at_period_end,
        ended_at,
        end_reason,
        payment_method_id,
        updated_at
    from {{ source('raw', 'subscriptions') }}
    {{- since_last_load('updated_at') }}

)

select distinct on (incoming.subscription_id, incoming.updated_at)
    incoming.subscription_id,
    incoming.customer_id,
    incoming.status,
    incoming.price_id,
    incoming.quantity,
    incoming.currency,
    incoming.started_at,
    incoming.trial_start,
    incoming.trial_end,
    incoming.activated_at,
    incoming.period_start,
    incoming.period_end,
    incoming.cancel_requested_at,
    incoming.cancel_at_period_end,
    incoming.ended_at,
    incoming.end_reason,
    incoming.payment_method_id,
    incoming.updated_at
from incoming
{{- not_yet_loaded(['subscription_id', 'updated_at']) }}
