-- v_company_kpis says what metric_catalog says, which reads each figure from its own mart.
with company as (

    select
        measured.metric,
        measured.value
    from {{ ref('v_company_kpis') }} as kpis
    cross join lateral (
        values
            ('mrr_net_usd', kpis.mrr_net_usd),
            ('arr_usd', kpis.arr_usd),
            ('paying_customers', kpis.paying_customers::numeric),
            ('cash_net_usd', kpis.total_revenue_usd),
            ('arpa_usd', kpis.arpa_usd),
            ('arpu_usd', kpis.arpu_usd),
            ('logo_churn_rate', kpis.logo_churn_rate),
            ('grr_rate', kpis.grr_rate),
            ('nrr_rate', kpis.nrr_rate),
            ('ltv_simple_usd', kpis.ltv_simple_usd),
            ('ltv_margin_usd', kpis.ltv_margin_usd),
            ('first_attempt_failure_rate', kpis.first_attempt_failure_rate)
    ) as measured (metric, value)

)

select
    company.metric,
    company.value,
    catalog.latest_value
from company
left join {{ ref('metric_catalog') }} as catalog on catalog.metric = company.metric
where company.value is distinct from catalog.latest_value
