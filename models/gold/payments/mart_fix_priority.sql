-- Grain: one row per plan and reason of first failure, over the latest three mature months: what failed, what came back, and
-- what a month would gain if the cell recovered at its target: the upper quartile of the plans for this class of reason.
with window_month as (

    select month_start
    from {{ ref('dim_month') }}
    where is_mature
    order by month_start desc
    limit 3

),

cell as (

    select
        episode.plan_id,
        episode.first_reason_category as reason_category,
        max(episode.first_failure_class) as failure_class,
        count(*) as failed_invoices,
        count(distinct episode.customer_id) as customers,
        count(*) filter (where episode.episode_outcome = 'recovered') as recovered_invoices,
        sum(episode.failed_usd) as failed_usd,
        sum(episode.recovered_usd) as recovered_usd,
        coalesce(sum(episode.failed_usd - episode.recovered_usd) filter (where episode.episode_outcome = 'written_off'), 0.00) as written_off_usd
    from {{ ref('fct_dunning_episode') }} as episode
    inner join window_month on window_month.month_start = episode.due_month
    group by episode.plan_id, episode.first_reason_category

),

rated as (

    select
        cell.*,
        recovered_invoices::numeric / failed_invoices as recovery_rate,
        sum(recovered_invoices) over (partition by failure_class) / sum(failed_invoices) over (partition by failure_class)
            as class_recovery_rate
    from cell

),

-- Only cells with five failures or more set the standard; without any the class as a whole does.
quartile as (

    select
        failure_class,
        percentile_cont(0.75) within group (order by recovery_rate)::numeric as upper_quartile
    from rated
    where failed_invoices >= 5
    group by failure_class

),

targeted as (

    select
        rated.*,
        greatest(coalesce(quartile.upper_quartile, 0), rated.class_recovery_rate) as target_rate
    from rated
    left join quartile on quartile.failure_class = rated.failure_class

),

action as (

    select
        reason_category,
        min(recommended_action) as recommended_action
    from {{ ref('dim_decline_code') }}
    group by reason_category

)

select
    targeted.plan_id,
    targeted.reason_category,
    row_number() over (
        order by greatest(targeted.target_rate - targeted.recovery_rate, 0) * targeted.failed_usd desc,
        targeted.failed_usd desc, targeted.plan_id, targeted.reason_category
    ) as priority,
    targeted.failure_class,
    action.recommended_action,
    targeted.failed_invoices,
    targeted.recovered_invoices,
    targeted.customers,
    targeted.failed_usd,
    targeted.recovered_usd,
    targeted.written_off_usd,
    round(targeted.recovery_rate, 6) as recovery_rate,
    round(targeted.target_rate, 6) as target_rate,
    round(greatest(targeted.target_rate - targeted.recovery_rate, 0) * targeted.failed_usd / 3, 2) as upside_usd_per_month
from targeted
inner join action on action.reason_category = targeted.reason_category
