-- Every month and plan, and ALL, that has anything to say.
select * from (
select metric, to_char(month_start, 'YYYY-MM') || ' ' || plan_id as period, value::numeric(24, 6) as value
from gold.mart_revenue_monthly
cross join lateral (
    values
        ('invoices_billed', invoices_billed),
        ('billed_usd', billed_usd),
        ('billed_tax_usd', billed_tax_usd),
        ('credit_applied_usd', credit_applied_usd),
        ('collected_usd', collected_usd),
        ('billed_on_first_try_usd', billed_on_first_try_usd),
        ('billed_on_retry_usd', billed_on_retry_usd),
        ('outstanding_usd', outstanding_usd),
        ('written_off_usd', written_off_usd),
        ('refunded_usd', refunded_usd),
        ('lost_disputes_usd', lost_disputes_usd),
        ('collected_net_usd', collected_net_usd),
        ('cash_collected_usd', cash_collected_usd),
        ('cash_refunded_usd', cash_refunded_usd),
        ('cash_lost_disputes_usd', cash_lost_disputes_usd),
        ('cash_net_usd', cash_net_usd),
        ('paying_customers', paying_customers),
        ('mrr_list_usd', mrr_list_usd),
        ('mrr_net_usd', mrr_net_usd)
) as figure (metric, value)
) as figures
where value <> 0
order by 1, 2
