-- Who is likely to leave, and can the score be trusted? Predicted and actual churn of the last observable half-year, by tenth.
select
    score_tenth,
    customer_months,
    churned,
    predicted_rate,
    actual_rate,
    lift,
    brier_score,
    brier_score_of_base
from {{ ref('mart_churn_score_backtest') }}
order by score_tenth
