-- Grain: one row per method (logistic regression; baseline: the share by plan, interval and tenure) on the same test months: how well it
-- ranks and how true its chances are. Both learned from the same earlier months. The better of each measure is marked, also
-- where it is the baseline.
with scored as (

    select
        customer_id,
        month_start,
        plan_id,
        billing_interval,
        tenure_band,
        label::integer as churned,
        is_train,
        is_test,
        probability
    from {{ ref('mart_churn_propensity') }}
    where label is not null

),

base as (

    select avg(churned) as base_rate
    from scored
    where is_train

),

-- Like customer months, leaning on the overall share with the weight of fifty.
hazard as (

    select
        scored.plan_id,
        scored.billing_interval,
        scored.tenure_band,
        (sum(scored.churned) + 50 * base.base_rate) / (count(*) + 50) as hazard_rate
    from scored
    cross join base
    where scored.is_train
    group by scored.plan_id, scored.billing_interval, scored.tenure_band, base.base_rate

),

tested as (

    select
        method.method,
        scored.customer_id,
        scored.month_start,
        scored.churned,
        case method.method
            when 'logistic_regression' then scored.probability
            else coalesce(hazard.hazard_rate, base.base_rate)
        end as chance
    from scored
    cross join base
    cross join (values ('logistic_regression'), ('baseline')) as method (method)
    left join hazard
        on hazard.plan_id = scored.plan_id
        and hazard.billing_interval = scored.billing_interval
        and hazard.tenure_band = scored.tenure_band
    where scored.is_test and base.base_rate is not null

),

-- Rows of the same chance are one step: a tie must not depend on their order.
step as (

    select
        method,
        chance,
        count(*) as rows_at,
        sum(churned) as churned_at
    from tested
    group by method, chance

),

ranked as (

    select
        step.*,
        sum(rows_at) over down_to_here as rows_down_to_here,
        sum(churned_at) over down_to_here as churned_down_to_here
    from step
    window down_to_here as (partition by method order by chance desc)

),

precision_recall as (

    select
        method,
        sum(churned_at * churned_down_to_here::numeric / rows_down_to_here) / nullif(sum(churned_at), 0) as average_precision
    from ranked
    group by method

),

tenth as (

    select
        method,
        churned,
        ntile(10) over (partition by method order by chance desc, customer_id, month_start) as chance_tenth
    from tested

),

lifted as (

    select
        method,
        avg(churned) filter (where chance_tenth = 1) / nullif(avg(churned), 0) as lift_10
    from tenth
    group by method

),

summed as (

    select
        method,
        count(*) as customer_months,
        sum(churned)::bigint as churned,
        avg(chance) as predicted_rate,
        avg(churned) as actual_rate,
        avg((churned - chance) ^ 2) as brier,
        regr_slope(churned, chance) as slope
    from tested
    group by method

)

select
    summed.method,
    summed.customer_months,
    summed.churned,
    round(summed.predicted_rate, 6) as predicted_rate,
    round(summed.actual_rate, 6) as actual_rate,
    round(precision_recall.average_precision, 6) as pr_auc_rate,
    round(lifted.lift_10, 4) as lift_10,
    round(summed.brier, 6) as brier_score,
    round(summed.slope::numeric, 4) as calibration_slope,
    row_number() over (order by precision_recall.average_precision desc nulls last, summed.method) = 1 as is_best_ranking,
    row_number() over (order by summed.brier, summed.method) = 1 as is_best_brier
from summed
inner join precision_recall on precision_recall.method = summed.method
inner join lifted on lifted.method = summed.method
