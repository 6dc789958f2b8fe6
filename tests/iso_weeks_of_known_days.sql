-- Days whose ISO week is known: the turn of the year belongs to the week's own year. 2023-01-01 is week 52 of 2022, and no week of 2023.
with known (date_day, iso_year, iso_week, iso_week_label, is_workday) as (

    values
        (date '2020-12-31', 2020, 53, '2020-W53', true),
        (date '2021-01-03', 2020, 53, '2020-W53', false),
        (date '2023-01-01', 2022, 52, '2022-W52', false),
        (date '2023-01-02', 2023, 1, '2023-W01', true),
        (date '2024-12-28', 2024, 52, '2024-W52', false),
        (date '2024-12-30', 2025, 1, '2025-W01', true),
        (date '2025-05-30', 2025, 22, '2025-W22', true)

)

select
    known.*,
    day.iso_year as found_iso_year,
    day.iso_week as found_iso_week,
    day.iso_week_label as found_label,
    day.is_workday as found_workday
from known
left join {{ ref('dim_date') }} as day on day.date_day = known.date_day
where
    (known.iso_year, known.iso_week, known.iso_week_label, known.is_workday)
    is distinct from (day.iso_year, day.iso_week, day.iso_week_label, day.is_workday)
