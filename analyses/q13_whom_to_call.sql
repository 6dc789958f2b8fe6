-- Whom to call? Paying customers by score, then by MRR.
select
    customer_id,
    plan_id,
    mrr_net_usd,
    billing_state,
    engagement_trend as use_is,
    rfm_segment,
    risk_score,
    risk_reasons,
    next_action
from {{ ref('mart_customer_360') }}
where risk_score >= 50
order by risk_score desc, mrr_net_usd desc
limit 6
