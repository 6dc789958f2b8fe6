{{ config(materialized='view') }}

-- Grain: one row per customer and half-open range [valid_from, valid_to) in which we saw it unchanged. The first version also
-- stands for the time before it was first seen, so that each instant of a customer's life has one version.
select
    history.customer_id,
    case
        when row_number() over (partition by history.customer_id order by history.dbt_valid_from) = 1 then history.signup_at
        else history.dbt_valid_from
    end as valid_from,
    history.dbt_valid_to as valid_to,
    history.dbt_valid_to is null as is_current,
    history.industry,
    history.company_size,
    history.country,
    history.currency,
    history.channel,
    history.campaign,
    history.deleted_at is not null as is_deleted
{%- set taken, today = ref('snap_customers'), ref('stg_customers') %}
{%- if load_relation(taken) is not none or flags.WHICH == 'build' or not execute %}
from {{ taken }} as history
{%- else %}
-- `marts run` before any snapshot was taken: each customer as it is, until a build knows more.
from (
    select
        *,
        updated_at as dbt_valid_from,
        null::timestamptz as dbt_valid_to
    from {{ today }}
) as history
{%- endif %}
where not history.is_test
