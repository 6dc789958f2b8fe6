-- Grain: one row per month, from the first signup or the first money spent to win one, to the as-of instant. The last month may still
-- be open.
with first_month as (

    select min(known.month_start) as month_start
    from (
        select min(signup_month) as month_start from {{ ref('stg_customers') }}
        union all
        select min(month_start) as month_start from {{ ref('stg_marketing_spend') }}
    ) as known

),

month as (

    select generated::date as month_start
    from first_month
    cross join {{ ref('as_of') }} as as_of
    cross join generate_series(first_month.month_start, as_of.as_of_month, interval '1 month') as generated

),

bounded as (

    select
        month_start,
        (month_start + interval '1 month')::date as month_end,
        {{ day_start('month_start') }} as month_start_at,
        {{ day_start("(month_start + interval '1 month')") }} as month_end_at
    from month

)

select
    bounded.month_start,
    bounded.month_end,
    bounded.month_start_at,
    bounded.month_end_at,
    -- An open month is measured at the as-of instant, a closed one at its end.
    least(bounded.month_end_at, as_of.as_of_at) as snapshot_at,
    least(bounded.month_end, as_of.as_of_date) - bounded.month_start as covered_days,
    bounded.month_end_at <= as_of.as_of_at as is_closed,
    bounded.month_end_at <= as_of.matured_at as is_mature
from bounded
cross join {{ ref('as_of') }} as as_of
