-- Grain: one row per stratum (all, plan, channel): the value of a new customer from its survival curve, month by month for 36
-- months, discounted. Beyond the last observed month the hazard of the last six observed months goes on, and the share
-- of the value that rests on this is told.
with parameter as (

    select
        36 as horizon_months,
        {{ var('gross_margin_rate') }}::numeric as gross_margin,
        (1 + {{ var('discount_rate_yearly') }}::numeric) ^ (1 / 12.0) as monthly_growth

),

stratum as (

    select
        retention.cut as stratum,
        retention.cut_value as stratum_value,
        retention.arpa_usd
    from (
        select distinct on (cut, cut_value)
            cut,
            cut_value,
            round(closing_usd / nullif(closing_customers, 0), 2) as arpa_usd
        from {{ ref('mart_mrr_movements') }}
        where is_closed and cut in ('all', 'plan', 'channel')
        order by cut, cut_value, month_start desc
    ) as retention
    where retention.arpa_usd is not null

),

followed as (

    select
        life.stratum,
        life.stratum_value,
        floor(max(lifetime.duration_days) / 30.4375)::integer as observed_months
    from {{ ref('int_customer_lifetime') }} as lifetime
    cross join lateral (
        values ('all', 'ALL'), ('plan', lifetime.plan_id), ('channel', lifetime.channel)
    ) as life (stratum, stratum_value)
    group by life.stratum, life.stratum_value

),

monthly as (

    select
        stratum.stratum,
        stratum.stratum_value,
        stratum.arpa_usd,
        followed.observed_months,
        month.t,
        (
            select survival.survival_rate
            from {{ ref('mart_survival') }} as survival
            where
                survival.stratum = stratum.stratum
                and survival.stratum_value = stratum.stratum_value
                and survival.t_days <= month.t * 30.4375
            order by survival.t_days desc
            limit 1
        ) as observed_survival
    from stratum
    inner join followed on followed.stratum = stratum.stratum and followed.stratum_value = stratum.stratum_value
    cross join parameter
    cross join lateral generate_series(0, parameter.horizon_months - 1) as month (t)

),

tail as (

    select
        stratum,
        stratum_value,
        max(observed_survival) filter (where t = observed_months) as last_survival,
        case
            when max(observed_survival) filter (where t = greatest(observed_months - 6, 0)) > 0
                and observed_months > 0
                then (
                    max(observed_survival) filter (where t = observed_months)
                    / max(observed_survival) filter (where t = greatest(observed_months - 6, 0))
                ) ^ (1.0 / least(observed_months, 6))
            else 0
        end as monthly_survival
    from monthly
    group by stratum, stratum_value, observed_months

),

valued as (

    select
        monthly.stratum,
        monthly.stratum_value,
        monthly.arpa_usd,
        monthly.observed_months,
        monthly.t > monthly.observed_months as is_extrapolated,
        case
            when monthly.t <= monthly.observed_months then monthly.observed_survival
            else tail.last_survival * tail.monthly_survival ^ (monthly.t - monthly.observed_months)
        end as survival,
        parameter.gross_margin / parameter.monthly_growth ^ monthly.t as worth
    from monthly
    inner join tail on tail.stratum = monthly.stratum and tail.stratum_value = monthly.stratum_value
    cross join parameter

)

select
    stratum,
    stratum_value,
    arpa_usd,
    max(observed_months) as observed_months,
    round(sum(survival), 4) as expected_months,
    round(sum(survival * worth * arpa_usd), 2) as ltv_survival_usd,
    round(
        coalesce(sum(survival * worth) filter (where is_extrapolated), 0) / nullif(sum(survival * worth), 0), 6
    ) as extrapolated_rate
from valued
group by stratum, stratum_value, arpa_usd
