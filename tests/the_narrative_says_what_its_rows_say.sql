-- The words of a sentence are those of its row: the number that it rests on stands in it as people write it, and more and less,
-- above and below are true. A static text beside a chart once said the opposite of it.
with written as (

    select
        narrative.narrative_order,
        narrative.sentence,
        case
            when narrative.evidence_column like '%\_rate' then to_char(narrative.evidence_value * 100, 'FM990.00') || ' %'
            when narrative.evidence_column = 'relative_risk' then to_char(narrative.evidence_value, 'FM990.00')
            else '$' || to_char(narrative.evidence_value, 'FM999,999,999,990.00')
        end as number_in_words
    from {{ ref('mart_narrative') }} as narrative

),

revenue as (

    select
        this_month.month_start,
        case when this_month.cash_net_usd >= before.cash_net_usd then '% more than%' else '% less than%' end as direction
    from {{ ref('mart_revenue_monthly') }} as this_month
    inner join {{ ref('mart_revenue_monthly') }} as before
        on before.plan_id = this_month.plan_id
        and before.month_start = (this_month.month_start - interval '1 month')::date
    where this_month.plan_id = 'ALL' and this_month.is_closed
    order by this_month.month_start desc
    limit 1

),

failing as (

    select
        latest.month_start,
        case
            when latest.first_attempt_failure_rate > (
                select avg(earlier.first_attempt_failure_rate)
                from {{ ref('mart_payment_reliability') }} as earlier
                where
                    earlier.month_start < latest.month_start
                    and earlier.month_start >= (latest.month_start - interval '6 months')::date
            ) then '%first try, above%'
            else '%first try, at or below%'
        end as direction
    from {{ ref('mart_payment_reliability') }} as latest
    where latest.is_closed
    order by latest.month_start desc
    limit 1

)

select
    written.narrative_order,
    written.sentence,
    'the number is not in it' as problem
from written
where position(written.number_in_words in written.sentence) = 0
union all
select
    written.narrative_order,
    written.sentence,
    'revenue went the other way' as problem
from written
cross join revenue
where written.narrative_order = 1 and written.sentence not like revenue.direction
union all
select
    written.narrative_order,
    written.sentence,
    'failures went the other way' as problem
from written
cross join failing
where written.narrative_order = 4 and written.sentence not like failing.direction
