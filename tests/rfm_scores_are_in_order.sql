-- A better score never goes to somebody who paid longer ago, less often or less: between neighbouring fifths there is no overlap.
with fifth as (

    select
        scored.kind,
        scored.score,
        min(scored.goodness) as worst,
        max(scored.goodness) as best
    from {{ ref('mart_segments') }} as segment
    cross join lateral (
        values
            ('recency', segment.recency_score, -segment.recency_days::numeric),
            ('frequency', segment.frequency_score, segment.paid_invoices_365d::numeric),
            ('monetary', segment.monetary_score, segment.paid_365d_usd)
    ) as scored (kind, score, goodness)
    group by scored.kind, scored.score

)

select
    better.kind,
    better.score,
    better.worst,
    worse.best as best_of_the_score_below
from fifth as better
inner join fifth as worse on worse.kind = better.kind and worse.score = better.score - 1
where better.worst < worse.best
