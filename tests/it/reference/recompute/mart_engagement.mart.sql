select * from (
    select metric, period, value::numeric(24, 6) as value
    from (
        select
            to_char(month_start, 'YYYY-MM') as period,
            count(*) as subscribed_customers,
            count(*) filter (where active_users > 0) as active_customers,
            sum(active_users) as active_users,
            sum(active_user_days) as active_user_days,
            sum(active_days) as active_days,
            sum(sessions) as sessions,
            sum(core_actions) as core_actions,
            sum(features_used) as features_used,
            sum(cancel_page_views) as cancel_page_views,
            sum(cancel_requests) as cancel_requests,
            count(*) filter (where cancel_intent) as cancel_intent
        from gold.mart_engagement
        group by month_start
    ) as summed
    cross join lateral (
        values
            ('subscribed_customers', subscribed_customers::numeric),
            ('active_customers', active_customers::numeric),
            ('active_users', active_users::numeric),
            ('active_user_days', active_user_days::numeric),
            ('active_days', active_days::numeric),
            ('sessions', sessions::numeric),
            ('core_actions', core_actions::numeric),
            ('features_used', features_used::numeric),
            ('cancel_page_views', cancel_page_views::numeric),
            ('cancel_requests', cancel_requests::numeric),
            ('cancel_intent', cancel_intent::numeric)
    ) as figure (metric, value)
) as figures
where value <> 0
order by 1, 2
