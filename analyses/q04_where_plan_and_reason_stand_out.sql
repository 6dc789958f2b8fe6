-- Where did plan and reason stand out? First failures per charged invoice of the last three closed months against the twelve before.
with failed as (

    select
        episode.plan_id,
        episode.first_reason_category as reason_category,
        count(*) filter (where episode.due_month >= month.recent_from) as recent,
        count(*) filter (where episode.due_month < month.recent_from) as before
    from {{ ref('fct_dunning_episode') }} as episode
    cross join (
        select (max(month_start) - interval '2 months')::date as recent_from, (max(month_start) - interval '14 months')::date as before_from
        from {{ ref('dim_month') }}
        where is_closed
    ) as month
    where episode.due_month >= month.before_from
    group by episode.plan_id, episode.first_reason_category

),

charged as (

    select
        reliability.plan_id,
        sum(reliability.invoices_attempted) filter (where reliability.month_start >= month.recent_from) as recent,
        sum(reliability.invoices_attempted) filter (where reliability.month_start < month.recent_from) as before
    from {{ ref('mart_payment_reliability_plan_monthly') }} as reliability
    cross join (
        select (max(month_start) - interval '2 months')::date as recent_from, (max(month_start) - interval '14 months')::date as before_from
        from {{ ref('dim_month') }}
        where is_closed
    ) as month
    where reliability.month_start >= month.before_from
    group by reliability.plan_id

)

select
    failed.plan_id,
    failed.reason_category,
    failed.recent as failed_recently,
    round(failed.recent / charged.recent, 4) as rate_recently,
    round(failed.before / charged.before, 4) as rate_before,
    round((failed.recent / charged.recent) / nullif(failed.before / charged.before, 0), 2) as times
from failed
inner join charged on charged.plan_id = failed.plan_id
where failed.recent >= 5
order by times desc nulls last
limit 6
