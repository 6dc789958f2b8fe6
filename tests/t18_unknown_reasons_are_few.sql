{{ config(severity='warn') }}

-- T18: failures without a usable reason are below 1 % of all failed attempts (a handful of few is no sign); more is a data-quality warning.
select
    count(*) filter (where reason_category = 'other') as unknown,
    count(*) as failed
from {{ ref('fct_payment_attempt') }}
where is_failed
having count(*) filter (where reason_category = 'other') > greatest(10, 0.01 * count(*))
