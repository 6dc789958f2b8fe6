-- Do customers leave because a payment failed? Against customers of like plan, interval, tenure and month without a failure.
select
    horizon_days,
    churn_kind,
    exposed,
    exposed_churn_rate,
    control,
    control_churn_rate,
    relative_risk,
    relative_risk_low as low,
    relative_risk_high as high
from {{ ref('mart_failure_to_churn_risk') }}
order by churn_kind desc, horizon_days
