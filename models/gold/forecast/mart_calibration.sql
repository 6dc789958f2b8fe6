-- Grain: one row per score and tenth of its cases, the lowest chances first: the mean chance that was told beside the share that came,
-- with Wilson's 95 % interval of that share. Every chance was told from what was known before its case began. Scores: churn
-- by the regression on its test months, and recovery of failed invoices at four ages.
with scored as (

    select
        'churn_propensity' as score,
        probability as chance,
        label::integer as came,
        customer_id || ' ' || month_start as case_id
    from {{ ref('mart_churn_propensity') }}
    where is_test and label is not null and probability is not null
    union all
    select
        'recovery_day_' || age_days as score,
        recovery_probability as chance,
        is_recovered::integer as came,
        episode_id as case_id
    from {{ ref('int_recovery_chance') }}

),

ranked as (

    select
        scored.*,
        ntile(10) over (partition by score order by chance, case_id) as tenth
    from scored

),

binned as (

    select
        score,
        tenth,
        count(*) as cases,
        sum(came) as came,
        min(chance) as lowest_chance,
        max(chance) as highest_chance,
        avg(chance) as predicted,
        avg(came::numeric) as actual,
        3.841459 / count(*) as z_squared_per_case
    from ranked
    group by score, tenth

),

bounded as (

    select
        binned.*,
        (actual + z_squared_per_case / 2) / (1 + z_squared_per_case) as middle,
        sqrt(z_squared_per_case * (actual * (1 - actual) + z_squared_per_case / 4)) / (1 + z_squared_per_case) as half
    from binned

)

select
    score,
    tenth,
    cases,
    came,
    round(lowest_chance, 6) as lowest_chance_rate,
    round(highest_chance, 6) as highest_chance_rate,
    round(predicted, 6) as predicted_rate,
    round(actual, 6) as actual_rate,
    round(greatest(middle - half, 0), 6) as actual_low_rate,
    round(least(middle + half, 1), 6) as actual_high_rate,
    predicted between greatest(middle - half, 0) and least(middle + half, 1) as is_within_interval
from bounded
