-- What is a customer worth? By survival over 36 months, and by the simple rule of the last closed month.
select
    survival.stratum_value,
    survival.arpa_usd,
    survival.expected_months,
    survival.ltv_survival_usd,
    survival.extrapolated_rate as extrapolated,
    economics.monthly_churn_rate as churn_3m,
    economics.ltv_margin_usd
from {{ ref('mart_ltv_survival') }} as survival
left join lateral (
    select monthly_churn_rate, ltv_margin_usd
    from {{ ref('mart_unit_economics') }} as economics
    where economics.cut = survival.stratum and economics.cut_value = survival.stratum_value and economics.is_closed
    order by economics.month_start desc
    limit 1
) as economics on true
where survival.stratum in ('all', 'plan')
order by survival.arpa_usd desc
