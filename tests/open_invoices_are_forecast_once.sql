-- Every invoice in dunning is in the forecast once, with what is open of it; the outlook adds them up, and what it expects is what
-- the invoices together are expected to bring.
with episode as (

    select
        count(*) as invoices,
        coalesce(sum(failed_usd - recovered_usd), 0) as failed_usd
    from {{ ref('fct_dunning_episode') }}
    where episode_outcome = 'in_dunning'

),

forecast as (

    select coalesce(sum(expected_usd), 0) as expected_usd
    from {{ ref('mart_recovery_forecast') }}

)

select
    episode.*,
    outlook.open_invoices,
    outlook.upper_bound_usd,
    outlook.expected_usd,
    forecast.expected_usd as expected_of_invoices_usd
from episode
cross join forecast
cross join {{ ref('mart_recovery_outlook') }} as outlook
where
    episode.invoices <> outlook.open_invoices
    or episode.failed_usd <> outlook.upper_bound_usd
    -- Each invoice is rounded to the cent.
    or abs(outlook.expected_usd - forecast.expected_usd) > 0.01 * (episode.invoices + 1)
