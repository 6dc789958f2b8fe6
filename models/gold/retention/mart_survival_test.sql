-- Grain: one row per pair of strata: the log-rank test of whether their survival differs, with its chi-squared on one degree
-- of freedom. At each day of an end the ends expected of each group follow its share of those at risk.
with pair as (

    select *
    from (
        values
            ('interval', 'month', 'year'),
            ('discount', 'with', 'without'),
            ('plan', 'starter', 'growth'),
            ('plan', 'growth', 'business'),
            ('plan', 'business', 'enterprise'),
            ('channel', 'paid', 'organic'),
            ('channel', 'referral', 'organic')
    ) as listed (stratum, first_value, second_value)

),

life as (

    select
        pair.stratum,
        pair.first_value,
        pair.second_value,
        lifetime.duration_days,
        lifetime.is_ended,
        case pair.stratum
            when 'interval' then lifetime.billing_interval
            when 'plan' then lifetime.plan_id
            when 'channel' then lifetime.channel
            else case when lifetime.had_discount then 'with' else 'without' end
        end as stratum_value
    from {{ ref('int_customer_lifetime') }} as lifetime
    cross join pair

),

day as (

    select
        stratum,
        first_value,
        second_value,
        duration_days,
        count(*) filter (where stratum_value = first_value) as first_left,
        count(*) as both_left,
        count(*) filter (where is_ended and stratum_value = first_value) as first_ended,
        count(*) filter (where is_ended) as both_ended
    from life
    where stratum_value in (first_value, second_value)
    group by stratum, first_value, second_value, duration_days

),

exposed as (

    select
        day.*,
        (sum(first_left) over back_to_here)::numeric as first_at_risk,
        (sum(both_left) over back_to_here)::numeric as both_at_risk,
        sum(first_left) over everyone as first_customers,
        sum(both_left) over everyone as both_customers
    from day
    window
        everyone as (partition by stratum, first_value, second_value),
        back_to_here as (partition by stratum, first_value, second_value order by duration_days desc)

),

summed as (

    select
        stratum,
        first_value,
        second_value,
        max(first_customers)::bigint as first_customers,
        (max(both_customers) - max(first_customers))::bigint as second_customers,
        sum(first_ended)::bigint as first_ended,
        sum(both_ended - first_ended)::bigint as second_ended,
        sum(both_ended * first_at_risk / both_at_risk) as first_expected,
        sum(
            case
                when both_at_risk > 1 then both_ended * (first_at_risk / both_at_risk) * (1 - first_at_risk / both_at_risk)
                    * (both_at_risk - both_ended) / (both_at_risk - 1)
            end
        ) as variance
    from exposed
    where both_ended > 0
    group by stratum, first_value, second_value

)

select
    stratum,
    first_value,
    second_value,
    first_customers,
    second_customers,
    first_ended,
    second_ended,
    round(first_expected, 4) as first_expected,
    round((first_ended - first_expected) ^ 2 / nullif(variance, 0), 4) as chi_squared,
    -- The critical value of chi-squared with one degree of freedom at 5 %.
    coalesce((first_ended - first_expected) ^ 2 / nullif(variance, 0) > 3.841459, false) as is_significant
from summed
where first_customers > 0 and second_customers > 0
