-- Grain: one row, as of the data's last instant: what is at risk in dunning and what of it is expected to be paid by day 30,
-- with an 80 % interval from the chance of each invoice, the uncertainty of each cell's share, and the skewness that few invoices
-- give. The fix upside of mart_fix_priority is another number; the whole failed amount is only an upper bound.
with cell as (

    select
        reason_category,
        method_type,
        age_days,
        sum(failed_usd) as failed_usd,
        sum(failed_usd * recovery_rate) as expected_usd,
        sum(failed_usd ^ 2 * recovery_rate * (1 - recovery_rate)) as chance_variance,
        sum(failed_usd ^ 3 * recovery_rate * (1 - recovery_rate) * (1 - 2 * recovery_rate)) as third_moment,
        sum(failed_usd) ^ 2 * max(recovery_rate * (1 - recovery_rate) / (like_episodes + 21)) as share_variance
    from {{ ref('mart_recovery_forecast') }}
    group by reason_category, method_type, age_days

),

summed as (

    select
        coalesce(sum(failed_usd), 0.00) as upper_bound_usd,
        coalesce(sum(expected_usd), 0.00) as expected_usd,
        coalesce(sqrt(sum(chance_variance + share_variance)), 0) as standard_error,
        coalesce(sum(third_moment), 0) as third_moment
    from cell

),

skewed as (

    select
        summed.*,
        coalesce(third_moment / nullif(standard_error, 0) ^ 3, 0) as skewness
    from summed

),

invoice as (

    select
        count(*) as open_invoices,
        count(distinct customer_id) as customers,
        coalesce(sum(mrr_at_risk_usd), 0.00) as mrr_at_risk_usd
    from {{ ref('mart_recovery_forecast') }}

)

select
    as_of.as_of_date,
    invoice.open_invoices,
    invoice.customers,
    skewed.upper_bound_usd,
    invoice.mrr_at_risk_usd,
    round(skewed.expected_usd, 2) as expected_usd,
    round(
        greatest(skewed.expected_usd + {{ skewed_quantile(-1.281552, 'skewed.skewness') }} * skewed.standard_error, 0), 2
    ) as expected_low_usd,
    round(
        least(
            skewed.expected_usd + {{ skewed_quantile(1.281552, 'skewed.skewness') }} * skewed.standard_error,
            skewed.upper_bound_usd
        ), 2
    ) as expected_high_usd
from skewed
cross join invoice
cross join {{ ref('as_of') }} as as_of
