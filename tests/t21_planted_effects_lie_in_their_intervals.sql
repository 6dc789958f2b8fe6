{{ config(tags=['truth']) }}

-- T21: what the simulation amounts to in a very large company lies in the marts' intervals. An interval of 95 % misses one time in
-- twenty, and fifty are looked at here: each is widened on its own scale to miss once in five thousand. How often the plain
-- ones hold is measured by bench/seeds.py coverage.
with survival as (

    select distinct on (known.figure_id)
        known.figure_id,
        known.value as truth,
        mart.survival_rate as estimate,
        ln(-ln(mart.survival_rate)) as centre,
        ln(-ln(known.value)) as truth_on_scale,
        (ln(-ln(mart.survival_low_rate)) - ln(-ln(mart.survival_high_rate))) / 2 as half_width
    from {{ source('truth', 'population') }} as known
    inner join {{ ref('mart_survival') }} as mart
        on known.segment = mart.stratum || '/' || mart.stratum_value and mart.t_days <= known.at_days
    where
        known.figure = 'survival'
        -- As far as at least twenty can still be seen.
        and exists (
            select 1
            from {{ ref('mart_survival') }} as later
            where
                later.stratum = mart.stratum
                and later.stratum_value = mart.stratum_value
                and later.t_days > known.at_days
                and later.at_risk >= 20
        )
        and mart.survival_rate > 0 and mart.survival_rate < 1 and mart.survival_high_rate < 1 and mart.survival_low_rate > 0
        and known.value < 1
    order by known.figure_id asc, mart.t_days desc

),

risk as (

    select
        known.figure_id,
        known.value as truth,
        mart.relative_risk as estimate,
        ln(mart.relative_risk) as centre,
        ln(known.value) as truth_on_scale,
        (ln(mart.relative_risk_high) - ln(mart.relative_risk_low)) / 2 as half_width
    from {{ source('truth', 'population') }} as known
    inner join {{ ref('mart_failure_to_churn_risk') }} as mart
        on known.segment = mart.churn_kind and known.at_days = mart.horizon_days
    -- With a handful of events the interval's approximation does not hold.
    where known.figure = 'relative_risk' and mart.relative_risk > 0 and least(mart.exposed_churned, mart.control_churned) >= 5

)

select *
from (select * from survival union all select * from risk) as judged
where abs(centre - truth_on_scale) > half_width / 1.959964 * 3.72
