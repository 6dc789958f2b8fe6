-- Who stays longer? Log-rank tests, with the share still with us after a year.
with year as (

    select distinct on (stratum, stratum_value)
        stratum,
        stratum_value,
        survival_rate
    from {{ ref('mart_survival') }}
    where t_days <= 365
    order by stratum, stratum_value, t_days desc

)

select
    test.stratum,
    test.first_value,
    first_year.survival_rate as first_after_a_year,
    test.second_value,
    second_year.survival_rate as second_after_a_year,
    test.chi_squared,
    test.is_significant
from {{ ref('mart_survival_test') }} as test
left join year as first_year on first_year.stratum = test.stratum and first_year.stratum_value = test.first_value
left join year as second_year on second_year.stratum = test.stratum and second_year.stratum_value = test.second_value
order by test.chi_squared desc nulls last
