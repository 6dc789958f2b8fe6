select * from (
    select metric, period, value::numeric(24, 6) as value
    from (
        select
            customer_state as period,
            count(*) as customers,
            sum(mrr_net_usd) as mrr_net_usd,
            sum(seats) as seats,
            sum(billed_usd) as billed_usd,
            sum(collected_usd) as collected_usd,
            sum(collected_net_usd) as collected_net_usd,
            sum(past_due_usd) as past_due_usd,
            sum(failure_episodes) as failure_episodes,
            sum(active_users_28d) as active_users_28d,
            sum(user_days_28d) as user_days_28d,
            sum(user_days_28d_before) as user_days_28d_before,
            count(*) filter (where cancel_intent) as cancel_intent,
            count(*) filter (where billing_state = 'in_dunning') as in_dunning,
            count(*) filter (where billing_state = 'exhausted') as exhausted,
            count(*) filter (where billing_state = 'recovered_recently') as recovered_recently
        from gold.mart_customer_360
        group by customer_state
    ) as summed
    cross join lateral (
        values
            ('customers', customers::numeric), ('mrr_net_usd', mrr_net_usd), ('seats', seats), ('billed_usd', billed_usd),
            ('collected_usd', collected_usd), ('collected_net_usd', collected_net_usd), ('past_due_usd', past_due_usd),
            ('failure_episodes', failure_episodes), ('active_users_28d', active_users_28d),
            ('user_days_28d', user_days_28d), ('user_days_28d_before', user_days_28d_before),
            ('cancel_intent', cancel_intent), ('in_dunning', in_dunning), ('exhausted', exhausted),
            ('recovered_recently', recovered_recently)
    ) as figure (metric, value)
) as figures
where value <> 0
order by 1, 2
