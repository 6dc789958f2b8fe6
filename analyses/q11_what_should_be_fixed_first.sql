-- What should be fixed first, and what is it worth?
select
    priority,
    plan_id,
    reason_category,
    recommended_action,
    failed_invoices,
    failed_usd,
    recovery_rate,
    target_rate,
    upside_usd_per_month
from {{ ref('mart_fix_priority') }}
order by priority
limit 5
