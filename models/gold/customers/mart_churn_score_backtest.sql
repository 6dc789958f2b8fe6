-- Grain: one row per tenth of the scored customer months of the last observable half-year, by score: what the baseline of
-- mart_churn_score would have said from older months alone, with 60 days between so that no outcome is shared, and what came.
with cutoff as (

    select (max(month_start) - interval '5 months')::date as test_from
    from {{ ref('int_churn_landmark') }}
    where is_observable

),

older as (

    select
        landmark.plan_id,
        landmark.billing_interval,
        landmark.tenure_band,
        landmark.had_cancel_intent,
        landmark.had_payment_failure,
        count(*)::numeric as n,
        (count(*) filter (where landmark.churned_60d))::numeric as churned
    from {{ ref('int_churn_landmark') }} as landmark
    cross join cutoff
    where landmark.is_observable and landmark.month_start + 60 <= cutoff.test_from
    group by
        landmark.plan_id, landmark.billing_interval, landmark.tenure_band, landmark.had_cancel_intent, landmark.had_payment_failure

),

prior as (

    select
        billing_interval,
        had_cancel_intent,
        (sum(churned) + 1) / (sum(n) + 20) as prior_rate
    from older
    group by billing_interval, had_cancel_intent

),

base as (

    select sum(churned) / nullif(sum(n), 0) as base_rate
    from older

),

scored as (

    select
        landmark.customer_id,
        landmark.month_start,
        landmark.churned_60d::integer as churned,
        base.base_rate,
        (coalesce(older.churned, 0) + 50 * coalesce(prior.prior_rate, base.base_rate)) / (coalesce(older.n, 0) + 50) as churn_rate
    from {{ ref('int_churn_landmark') }} as landmark
    cross join cutoff
    cross join base
    left join prior
        on prior.billing_interval = landmark.billing_interval and prior.had_cancel_intent = landmark.had_cancel_intent
    left join older
        on older.plan_id = landmark.plan_id
        and older.billing_interval = landmark.billing_interval
        and older.tenure_band = landmark.tenure_band
        and older.had_cancel_intent = landmark.had_cancel_intent
        and older.had_payment_failure = landmark.had_payment_failure
    where landmark.is_observable and landmark.month_start >= cutoff.test_from and base.base_rate is not null

),

ranked as (

    select
        scored.*,
        ntile(10) over (order by churn_rate desc, customer_id, month_start) as score_tenth
    from scored

),

overall as (

    select
        avg(churned::numeric) as actual_rate,
        avg((churned - churn_rate) ^ 2) as brier,
        avg((churned - base_rate) ^ 2) as brier_of_base
    from scored

)

select
    ranked.score_tenth,
    count(*) as customer_months,
    sum(ranked.churned)::bigint as churned,
    round(avg(ranked.churn_rate), 6) as predicted_rate,
    round(avg(ranked.churned::numeric), 6) as actual_rate,
    round(avg(ranked.churned::numeric) / nullif(max(overall.actual_rate), 0), 2) as lift,
    round(max(overall.brier), 6) as brier_score,
    round(max(overall.brier_of_base), 6) as brier_score_of_base
from ranked
cross join overall
group by ranked.score_tenth
