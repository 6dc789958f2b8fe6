-- T4: each cut of the MRR movements adds up to the row of all; transfers between plans cancel out.
with summed as (

    select
        month_start,
        cut,
        sum(opening_usd) as opening_usd,
        sum(new_usd) as new_usd,
        sum(reactivation_usd) as reactivation_usd,
        sum(expansion_usd - contraction_usd) as changed_usd,
        sum(churn_usd) as churn_usd,
        sum(transfer_in_usd - transfer_out_usd) as transferred_usd,
        sum(closing_usd) as closing_usd
    from {{ ref('mart_mrr_movements') }}
    group by month_start, cut

)

select
    part.month_start,
    part.cut,
    part.closing_usd,
    whole.closing_usd as closing_of_all_usd
from summed as part
inner join summed as whole on whole.month_start = part.month_start and whole.cut = 'all'
where
    (
        part.opening_usd, part.new_usd, part.reactivation_usd, part.changed_usd, part.churn_usd, part.closing_usd
    ) is distinct from (
        whole.opening_usd, whole.new_usd, whole.reactivation_usd, whole.changed_usd, whole.churn_usd, whole.closing_usd
    )
    or part.transferred_usd <> 0
