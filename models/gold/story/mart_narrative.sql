-- Grain: one row per statement about the latest closed month (or, where outcomes need time, the latest that can be known). Each
-- sentence is written from the row that it names: the relation, its key, the column and the value that it rests on.
with last_month as (

    select
        max(month_start) filter (where is_closed) as month_start,
        max(month_start) filter (where is_mature) as mature_month
    from {{ ref('dim_month') }}

),

revenue as (

    select
        revenue.month_start,
        revenue.cash_net_usd,
        revenue.paying_customers,
        lag(revenue.cash_net_usd) over (order by revenue.month_start) as previous_usd
    from {{ ref('mart_revenue_monthly') }} as revenue
    where revenue.plan_id = 'ALL' and revenue.is_closed

),

failing as (

    select
        reliability.month_start,
        reliability.first_attempt_failure_rate,
        avg(reliability.first_attempt_failure_rate) over (
            order by reliability.month_start rows between 6 preceding and 1 preceding
        ) as usual_rate
    from {{ ref('mart_payment_reliability') }} as reliability
    where reliability.is_closed

),

worst_plan as (

    select
        reliability.plan_id,
        reliability.month_start,
        reliability.first_attempt_failure_rate,
        reliability.invoices_attempted
    from {{ ref('mart_payment_reliability_plan_monthly') }} as reliability
    inner join last_month on last_month.month_start = reliability.month_start
    where reliability.invoices_attempted >= 20
    order by reliability.first_attempt_failure_rate desc, reliability.plan_id
    limit 1

),

top_reason as (

    select
        reason.month_start,
        reason.reason_category,
        reason.failed_usd,
        reason.written_off_usd,
        reason.failed_invoice_share_rate
    from {{ ref('mart_failure_reason_monthly') }} as reason
    inner join last_month on last_month.mature_month = reason.month_start
    order by reason.failed_usd desc, reason.reason_category
    limit 1

),

statement as (

    select
        1 as narrative_order,
        'revenue' as topic,
        format(
            '%s brought in $%s after refunds, %s %% %s than the month before.',
            to_char(revenue.month_start, 'FMMonth YYYY'),
            to_char(revenue.cash_net_usd, 'FM999,999,999,990.00'),
            to_char(abs(revenue.cash_net_usd / nullif(revenue.previous_usd, 0) - 1) * 100, 'FM990.0'),
            case when revenue.cash_net_usd >= revenue.previous_usd then 'more' else 'less' end
        ) as sentence,
        'mart_revenue_monthly' as evidence_relation,
        'month_start = ' || revenue.month_start || ', plan_id = ALL' as evidence_key,
        'cash_net_usd' as evidence_column,
        revenue.cash_net_usd as evidence_value
    from revenue
    inner join last_month on last_month.month_start = revenue.month_start
    where revenue.previous_usd is not null
    union all
    select
        2,
        'mrr',
        format(
            'MRR closed %s at $%s: $%s new and returned, $%s expanded, $%s contracted, $%s churned.',
            to_char(movements.month_start, 'FMMonth YYYY'),
            to_char(movements.closing_usd, 'FM999,999,999,990.00'),
            to_char(movements.new_usd + movements.reactivation_usd, 'FM999,999,999,990.00'),
            to_char(movements.expansion_usd, 'FM999,999,999,990.00'),
            to_char(movements.contraction_usd, 'FM999,999,999,990.00'),
            to_char(movements.churn_usd, 'FM999,999,999,990.00')
        ),
        'mart_mrr_movements',
        'month_start = ' || movements.month_start || ', cut = all, cut_value = ALL',
        'closing_usd',
        movements.closing_usd
    from {{ ref('mart_mrr_movements') }} as movements
    inner join last_month on last_month.month_start = movements.month_start
    where movements.cut = 'all'
    union all
    select
        3,
        'churn',
        format(
            '%s of %s customers left in %s (%s %%), %s of them because a payment failed for good.',
            movements.churned_customers,
            movements.opening_customers,
            to_char(movements.month_start, 'FMMonth YYYY'),
            to_char(retention.logo_churn_rate * 100, 'FM990.00'),
            movements.involuntary_churned_customers
        ),
        'mart_retention',
        'month_start = ' || movements.month_start || ', cut = all, cut_value = ALL',
        'logo_churn_rate',
        retention.logo_churn_rate
    from {{ ref('mart_mrr_movements') }} as movements
    inner join last_month on last_month.month_start = movements.month_start
    inner join {{ ref('mart_retention') }} as retention
        on retention.month_start = movements.month_start and retention.cut = movements.cut
    where movements.cut = 'all' and retention.logo_churn_rate is not null
    union all
    select
        4,
        'payments',
        format(
            '%s %% of the payments due in %s failed at the first try, %s the mean of the six months before (%s %%).',
            to_char(failing.first_attempt_failure_rate * 100, 'FM990.00'),
            to_char(failing.month_start, 'FMMonth YYYY'),
            case when failing.first_attempt_failure_rate > failing.usual_rate then 'above' else 'at or below' end,
            to_char(failing.usual_rate * 100, 'FM990.00')
        ),
        'mart_payment_reliability',
        'month_start = ' || failing.month_start,
        'first_attempt_failure_rate',
        failing.first_attempt_failure_rate
    from failing
    inner join last_month on last_month.month_start = failing.month_start
    where failing.first_attempt_failure_rate is not null and failing.usual_rate is not null
    union all
    select
        5,
        'payments',
        format(
            'Of the plans with 20 payments or more, %s failed most in %s: %s %% of %s first tries.',
            worst_plan.plan_id,
            to_char(worst_plan.month_start, 'FMMonth YYYY'),
            to_char(worst_plan.first_attempt_failure_rate * 100, 'FM990.00'),
            worst_plan.invoices_attempted
        ),
        'mart_payment_reliability_plan_monthly',
        'month_start = ' || worst_plan.month_start || ', plan_id = ' || worst_plan.plan_id,
        'first_attempt_failure_rate',
        worst_plan.first_attempt_failure_rate
    from worst_plan
    union all
    select
        6,
        'payments',
        format(
            'The costliest reason in %s, the latest month whose outcomes are final, was %s: $%s failed, $%s of it is lost.',
            to_char(top_reason.month_start, 'FMMonth YYYY'),
            top_reason.reason_category,
            to_char(top_reason.failed_usd, 'FM999,999,999,990.00'),
            to_char(top_reason.written_off_usd, 'FM999,999,999,990.00')
        ),
        'mart_failure_reason_monthly',
        'month_start = ' || top_reason.month_start || ', reason_category = ' || top_reason.reason_category,
        'failed_usd',
        top_reason.failed_usd
    from top_reason
    union all
    select
        7,
        'recovery',
        format(
            '%s invoices worth $%s are in dunning; $%s is expected back by day 30 (80 %% interval $%s to $%s).',
            outlook.open_invoices,
            to_char(outlook.upper_bound_usd, 'FM999,999,999,990.00'),
            to_char(outlook.expected_usd, 'FM999,999,999,990.00'),
            to_char(outlook.expected_low_usd, 'FM999,999,999,990.00'),
            to_char(outlook.expected_high_usd, 'FM999,999,999,990.00')
        ),
        'mart_recovery_outlook',
        'as_of_date = ' || outlook.as_of_date,
        'expected_usd',
        outlook.expected_usd
    from {{ ref('mart_recovery_outlook') }} as outlook
    union all
    select
        8,
        'recovery',
        format(
            'The first thing to fix is %s on %s (%s): $%s a month if it recovered as well as its upper quartile.',
            fix.reason_category,
            fix.plan_id,
            replace(fix.recommended_action, '_', ' '),
            to_char(fix.upside_usd_per_month, 'FM999,999,999,990.00')
        ),
        'mart_fix_priority',
        'plan_id = ' || fix.plan_id || ', reason_category = ' || fix.reason_category,
        'upside_usd_per_month',
        fix.upside_usd_per_month
    from {{ ref('mart_fix_priority') }} as fix
    where fix.priority = 1 and fix.upside_usd_per_month > 0
    union all
    select
        9,
        'signal',
        format(
            'Within 60 days of a failed payment customers cancel of their own will %s times as often as like customers (95 %% interval %s to %s): %s.',
            to_char(risk.relative_risk, 'FM990.00'),
            to_char(risk.relative_risk_low, 'FM990.00'),
            to_char(risk.relative_risk_high, 'FM990.00'),
            case
                when risk.relative_risk_low > 1 then 'a warning sign'
                when risk.relative_risk_high < 1 then 'less often'
                else 'not more than chance could explain'
            end
        ),
        'mart_failure_to_churn_risk',
        'horizon_days = 60, churn_kind = voluntary',
        'relative_risk',
        risk.relative_risk
    from {{ ref('mart_failure_to_churn_risk') }} as risk
    where risk.horizon_days = 60 and risk.churn_kind = 'voluntary' and risk.relative_risk is not null
    union all
    select
        10,
        'forecast',
        format(
            'MRR is forecast at $%s for %s (80 %% interval $%s to $%s) by %s, the method with the smallest error in the backtest.',
            to_char(forecast.forecast_usd, 'FM999,999,999,990.00'),
            to_char(forecast.target_month, 'FMMonth YYYY'),
            to_char(forecast.low_80_usd, 'FM999,999,999,990.00'),
            to_char(forecast.high_80_usd, 'FM999,999,999,990.00'),
            replace(forecast.method, '_', ' ')
        ),
        'mart_forecast',
        'method = ' || forecast.method || ', horizon_months = 1',
        'forecast_usd',
        forecast.forecast_usd
    from {{ ref('mart_forecast') }} as forecast
    where forecast.horizon_months = 1 and forecast.is_best and forecast.low_80_usd is not null

)

select
    narrative_order,
    topic,
    sentence,
    evidence_relation,
    evidence_key,
    evidence_column,
    evidence_value
from statement
