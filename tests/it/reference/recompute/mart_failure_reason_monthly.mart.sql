select * from (
select metric, to_char(month_start, 'YYYY-MM') || ' ' || reason_category as period, value::numeric(24, 6) as value
from gold.mart_failure_reason_monthly
cross join lateral (
    values
        ('failed_attempts', failed_attempts),
        ('failed_invoices', failed_invoices),
        ('recovered_invoices', recovered_invoices),
        ('failed_usd', failed_usd),
        ('recovered_usd', recovered_usd),
        ('in_dunning_usd', in_dunning_usd),
        ('written_off_usd', written_off_usd),
        ('voided_usd', voided_usd),
        ('failed_attempt_share_rate', failed_attempt_share_rate),
        ('recovery_rate', recovery_rate),
        ('leakage_rate', leakage_rate)
) as figure (metric, value)
) as figures
where value <> 0
order by 1, 2
