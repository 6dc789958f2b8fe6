-- Grain: one row per paying customer: the chance that it leaves of its own will within 60 days, as the share that did among like
-- customer months (plan, interval, tenure, cancel intent, failed payment), leaning on interval and intent with the weight
-- of fifty. A baseline that any learned model has to beat; mart_churn_score_backtest shows how it does.
with landmark as (

    select
        plan_id,
        billing_interval,
        tenure_band,
        had_cancel_intent,
        had_payment_failure,
        count(*)::numeric as n,
        (count(*) filter (where churned_60d))::numeric as churned
    from {{ ref('int_churn_landmark') }}
    where is_observable
    group by plan_id, billing_interval, tenure_band, had_cancel_intent, had_payment_failure

),

prior as (

    select
        billing_interval,
        had_cancel_intent,
        (sum(churned) + 1) / (sum(n) + 20) as prior_rate
    from landmark
    group by billing_interval, had_cancel_intent

),

base as (

    select sum(churned) / nullif(sum(n), 0) as base_rate
    from landmark

),

customer as (

    select
        customer_id,
        plan_id,
        billing_interval,
        mrr_net_usd,
        case
            when tenure_days < 61 then '0-1'
            when tenure_days < 183 then '2-5'
            when tenure_days < 365 then '6-11'
            else '12+'
        end as tenure_band,
        cancel_intent as had_cancel_intent,
        coalesce(last_failed_at >= as_of_date - 31, false) as had_payment_failure
    from {{ ref('mart_customer_360') }}
    where customer_state in ('active', 'past_due') and mrr_net_usd > 0

),

scored as (

    select
        customer.*,
        coalesce(landmark.n, 0) as like_months,
        (coalesce(landmark.churned, 0) + 50 * coalesce(prior.prior_rate, base.base_rate, 0)) / (coalesce(landmark.n, 0) + 50) as churn_rate,
        coalesce(base.base_rate, 0) as base_rate
    from customer
    cross join base
    left join prior
        on prior.billing_interval = customer.billing_interval
        and prior.had_cancel_intent = customer.had_cancel_intent
    left join landmark
        on landmark.plan_id = customer.plan_id
        and landmark.billing_interval = customer.billing_interval
        and landmark.tenure_band = customer.tenure_band
        and landmark.had_cancel_intent = customer.had_cancel_intent
        and landmark.had_payment_failure = customer.had_payment_failure

)

select
    customer_id,
    plan_id,
    mrr_net_usd,
    like_months::bigint as like_months,
    round(churn_rate, 6) as churn_60d_rate,
    round(base_rate, 6) as base_rate,
    round(churn_rate / nullif(base_rate, 0), 2) as lift,
    round(churn_rate * mrr_net_usd, 2) as expected_loss_usd,
    row_number() over (order by churn_rate * mrr_net_usd desc, customer_id) as loss_rank,
    concat_ws(
        '; ',
        billing_interval || 'ly billing on ' || plan_id,
        'with us for ' || tenure_band || ' months',
        case when had_cancel_intent then 'thought of cancelling' end,
        case when had_payment_failure then 'a payment failed' end
    ) as reasons
from scored
