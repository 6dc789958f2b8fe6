-- Each sentence of the narrative names a row that is there and says what the sentence rests on.
with evidence as (

    select 'mart_revenue_monthly' as relation, 'month_start = ' || month_start || ', plan_id = ' || plan_id as row_key, cash_net_usd as value
    from {{ ref('mart_revenue_monthly') }}
    union all
    select 'mart_mrr_movements', 'month_start = ' || month_start || ', cut = ' || cut || ', cut_value = ' || cut_value, closing_usd
    from {{ ref('mart_mrr_movements') }}
    union all
    select 'mart_retention', 'month_start = ' || month_start || ', cut = ' || cut || ', cut_value = ' || cut_value, logo_churn_rate
    from {{ ref('mart_retention') }}
    union all
    select 'mart_payment_reliability', 'month_start = ' || month_start, first_attempt_failure_rate
    from {{ ref('mart_payment_reliability') }}
    union all
    select 'mart_payment_reliability_plan_monthly', 'month_start = ' || month_start || ', plan_id = ' || plan_id, first_attempt_failure_rate
    from {{ ref('mart_payment_reliability_plan_monthly') }}
    union all
    select 'mart_failure_reason_monthly', 'month_start = ' || month_start || ', reason_category = ' || reason_category, failed_usd
    from {{ ref('mart_failure_reason_monthly') }}
    union all
    select 'mart_recovery_outlook', 'as_of_date = ' || as_of_date, expected_usd
    from {{ ref('mart_recovery_outlook') }}
    union all
    select 'mart_fix_priority', 'plan_id = ' || plan_id || ', reason_category = ' || reason_category, upside_usd_per_month
    from {{ ref('mart_fix_priority') }}
    union all
    select 'mart_failure_to_churn_risk', 'horizon_days = ' || horizon_days || ', churn_kind = ' || churn_kind, relative_risk
    from {{ ref('mart_failure_to_churn_risk') }}
    union all
    select 'mart_forecast', 'method = ' || method || ', horizon_months = ' || horizon_months, forecast_usd
    from {{ ref('mart_forecast') }}

)

select
    narrative.narrative_order,
    narrative.sentence,
    narrative.evidence_value,
    evidence.value
from {{ ref('mart_narrative') }} as narrative
left join evidence
    on evidence.relation = narrative.evidence_relation and evidence.row_key = narrative.evidence_key
where evidence.value is distinct from narrative.evidence_value
