-- Every invoice in dunning is in the forecast once, with its whole amount; the outlook adds them up.
with episode as (

    select
        count(*) as invoices,
        coalesce(sum(failed_usd), 0) as failed_usd
    from {{ ref('fct_dunning_episode') }}
    where episode_outcome = 'in_dunning'

)

select
    episode.*,
    outlook.open_invoices,
    outlook.upper_bound_usd
from episode
cross join {{ ref('mart_recovery_outlook') }} as outlook
where episode.invoices <> outlook.open_invoices or episode.failed_usd <> outlook.upper_bound_usd
