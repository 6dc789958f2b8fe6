-- Grain: one row per method, origin and horizon whose month has come: forecast, actual, and the interval that the errors known
-- at the origin gave. An error is known when its target month was closed by then; below four of them there is no interval.
-- Errors count by what they were per dollar of MRR (macros/statistics.sql), and are as many as are independent.
with judged as (

    select
        method,
        origin_month,
        horizon_months,
        target_month,
        origin_usd,
        forecast_usd,
        actual_usd,
        actual_usd - forecast_usd as error_usd
    from {{ ref('int_mrr_forecast') }}
    where actual_usd is not null

),

known as (

    select
        judged.method,
        judged.origin_month,
        judged.horizon_months,
        count(earlier.error_usd) as known_errors,
        sqrt(
            avg({{ squared_error_per_dollar('earlier.error_usd', 'earlier.origin_usd') }}) * greatest(judged.origin_usd, 1)
        ) as spread,
        {{ independent_errors('count(earlier.error_usd)', 'judged.horizon_months') }} as degrees
    from judged
    left join judged as earlier
        on earlier.method = judged.method
        and earlier.horizon_months = judged.horizon_months
        and earlier.target_month <= judged.origin_month
    group by judged.method, judged.origin_month, judged.horizon_months, judged.origin_usd

),

bounds as (

    select
        judged.*,
        known.known_errors,
        {{ t_quantile(1.281552, 'known.degrees') }} * known.spread as half_80,
        {{ t_quantile(1.959964, 'known.degrees') }} * known.spread as half_95
    from judged
    inner join known
        on known.method = judged.method
        and known.origin_month = judged.origin_month
        and known.horizon_months = judged.horizon_months

)

select
    method,
    origin_month,
    horizon_months,
    target_month,
    origin_usd,
    forecast_usd,
    actual_usd,
    error_usd,
    known_errors,
    {{ forecast_end('forecast_usd - half_80', 'known_errors') }} as low_80_usd,
    {{ forecast_end('forecast_usd + half_80', 'known_errors') }} as high_80_usd,
    {{ forecast_end('forecast_usd - half_95', 'known_errors') }} as low_95_usd,
    {{ forecast_end('forecast_usd + half_95', 'known_errors') }} as high_95_usd
from bounds
