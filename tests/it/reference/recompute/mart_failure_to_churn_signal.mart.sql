select * from (
    select metric, period, value::numeric(24, 6) as value
    from (
        select
            to_char(due_month, 'YYYY-MM') as period,
            count(*) as episodes,
            sum(failed_usd) as failed_usd,
            count(*) filter (where episode_outcome = 'recovered') as recovered,
            count(days_to_cancel_intent) as cancel_intent,
            count(*) filter (where cancel_intent_30d) as cancel_intent_30d,
            count(*) filter (where voluntary_churn_30d) as voluntary_churn_30d,
            count(*) filter (where voluntary_churn_60d) as voluntary_churn_60d,
            count(*) filter (where voluntary_churn_90d) as voluntary_churn_90d,
            count(*) filter (where churn_30d) as churn_30d,
            count(*) filter (where churn_60d) as churn_60d,
            count(*) filter (where churn_90d) as churn_90d,
            count(*) filter (where is_observable_90d) as observable_90d,
            sum(days_to_recovery) as days_to_recovery
        from gold.mart_failure_to_churn_signal
        group by due_month
    ) as summed
    cross join lateral (
        values
            ('episodes', episodes::numeric),
            ('failed_usd', failed_usd::numeric),
            ('recovered', recovered::numeric),
            ('cancel_intent', cancel_intent::numeric),
            ('cancel_intent_30d', cancel_intent_30d::numeric),
            ('voluntary_churn_30d', voluntary_churn_30d::numeric),
            ('voluntary_churn_60d', voluntary_churn_60d::numeric),
            ('voluntary_churn_90d', voluntary_churn_90d::numeric),
            ('churn_30d', churn_30d::numeric),
            ('churn_60d', churn_60d::numeric),
            ('churn_90d', churn_90d::numeric),
            ('observable_90d', observable_90d::numeric),
            ('days_to_recovery', days_to_recovery::numeric)
    ) as figure (metric, value)
) as figures
where value <> 0
order by 1, 2
