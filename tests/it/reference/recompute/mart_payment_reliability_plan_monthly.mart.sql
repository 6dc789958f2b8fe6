select * from (
select metric, to_char(month_start, 'YYYY-MM') || ' ' || plan_id as period, value::numeric(24, 6) as value
from gold.mart_payment_reliability_plan_monthly
cross join lateral (
    values
        ('invoices', invoices),
        ('invoices_attempted', invoices_attempted),
        ('attempts', attempts),
        ('failed_attempts', failed_attempts),
        ('invoices_with_1_attempt', invoices_with_1_attempt),
        ('invoices_with_2_attempts', invoices_with_2_attempts),
        ('invoices_with_3_attempts', invoices_with_3_attempts),
        ('invoices_with_4_or_more_attempts', invoices_with_4_or_more_attempts),
        ('first_attempt_failures', first_attempt_failures),
        ('mature_invoices_attempted', mature_invoices_attempted),
        ('final_failures', final_failures),
        ('failed_invoices', failed_invoices),
        ('recovered_invoices', recovered_invoices),
        ('in_dunning_invoices', in_dunning_invoices),
        ('written_off_invoices', written_off_invoices),
        ('voided_invoices', voided_invoices),
        ('failed_usd', failed_usd),
        ('recovered_usd', recovered_usd),
        ('in_dunning_usd', in_dunning_usd),
        ('written_off_usd', written_off_usd),
        ('voided_usd', voided_usd),
        ('observable_7d_invoices', observable_7d_invoices),
        ('recovered_7d_invoices', recovered_7d_invoices),
        ('observable_14d_invoices', observable_14d_invoices),
        ('recovered_14d_invoices', recovered_14d_invoices),
        ('observable_30d_invoices', observable_30d_invoices),
        ('recovered_30d_invoices', recovered_30d_invoices),
        ('attempt_month_invoices', attempt_month_invoices),
        ('attempt_month_first_failures', attempt_month_first_failures),
        ('first_attempt_failure_rate', first_attempt_failure_rate),
        ('attempt_failure_rate', attempt_failure_rate),
        ('final_failure_rate', final_failure_rate),
        ('avg_attempts', avg_attempts),
        ('recovery_rate', recovery_rate),
        ('recovery_value_rate', recovery_value_rate),
        ('leakage_rate', leakage_rate),
        ('recovery_7d_rate', recovery_7d_rate),
        ('recovery_14d_rate', recovery_14d_rate),
        ('recovery_30d_rate', recovery_30d_rate),
        ('attempt_month_first_failure_rate', attempt_month_first_failure_rate)
) as figure (metric, value)
) as figures
where value <> 0
order by 1, 2
