-- Grain: one row per calendar day. ISO week and ISO year always go together: 2023-01-01 is week 52 of ISO year 2022.
with day as (

    select generated::date as date_day
    from generate_series(date '2015-01-01', date '2040-12-31', interval '1 day') as generated

)

select
    date_day,
    extract(isodow from date_day)::integer as iso_weekday,
    to_char(date_day, 'FMDay') as weekday_name,
    extract(isodow from date_day) < 6 as is_workday,
    extract(week from date_day)::integer as iso_week,
    extract(isoyear from date_day)::integer as iso_year,
    to_char(date_day, 'IYYY"-W"IW') as iso_week_label,
    date_trunc('week', date_day::timestamp)::date as week_start,
    date_trunc('month', date_day::timestamp)::date as month_start,
    (date_trunc('month', date_day::timestamp) + interval '1 month')::date as month_end,
    extract(day from date_trunc('month', date_day::timestamp) + interval '1 month' - interval '1 day')::integer as days_in_month,
    to_char(date_day, 'YYYY-MM') as month_label,
    extract(quarter from date_day)::integer as quarter_of_year,
    date_trunc('quarter', date_day::timestamp)::date as quarter_start,
    extract(year from date_day)::integer as calendar_year
from day
