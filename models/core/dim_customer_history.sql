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
from {{ ref('snap_customers') }} as history
where not history.is_test
