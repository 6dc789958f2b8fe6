-- Failed attempts by their own reason; invoices and money by the reason of their first failure.
with
fx (currency, usd_per_minor) as materialized (
    values
        ('USD', 0.01), ('EUR', 0.0108), ('GBP', 0.0127), ('CAD', 0.00735), ('AUD', 0.0066), ('INR', 0.00012), ('JPY', 0.0067)
),
reason (code, category) as materialized (
    values
        ('insufficient_funds', 'funds'), ('card_velocity_exceeded', 'funds'), ('withdrawal_count_limit_exceeded', 'funds'),
        ('R01', 'funds'), ('do_not_honor', 'issuer_generic'), ('generic_decline', 'issuer_generic'),
        ('try_again_later', 'issuer_generic'), ('processing_error', 'technical'), ('issuer_not_available', 'technical'),
        ('reenter_transaction', 'technical'), ('authentication_required', 'authentication'), ('expired_card', 'credential'),
        ('incorrect_number', 'credential'), ('invalid_account', 'credential'), ('R02', 'credential'), ('R03', 'credential'),
        ('R04', 'credential'), ('lost_card', 'lost_stolen_fraud'), ('stolen_card', 'lost_stolen_fraud'),
        ('pickup_card', 'lost_stolen_fraud'), ('fraudulent', 'lost_stolen_fraud'),
        ('revocation_of_authorization', 'revoked'), ('R05', 'revoked'), ('R07', 'revoked'), ('R10', 'revoked'),
        ('R29', 'revoked'), ('unknown', 'other')
),
failure as materialized (
    select
        to_char(invoice.due_at at time zone 'UTC', 'YYYY-MM') as month,
        coalesce(reason.category, 'other') as category,
        invoice.invoice_id,
        invoice.status,
        round(invoice.amount_due * fx.usd_per_minor, 2) as due_usd,
        round(invoice.amount_paid * fx.usd_per_minor, 2) as paid_usd,
        row_number() over (partition by invoice.invoice_id order by attempt.attempt_number) = 1 as is_first
    from raw.payment_attempts as attempt
    join raw.invoices as invoice on invoice.invoice_id = attempt.invoice_id
    join raw.customers as customer on customer.customer_id = invoice.customer_id and not customer.is_test
    join fx on fx.currency = invoice.currency
    left join reason on reason.code = attempt.decline_code
    where attempt.outcome = 'failed' and invoice.collection_method = 'charge_automatically' and invoice.amount_due > 0
),
summed as materialized (
    select
        month,
        category,
        count(*) as failed_attempts,
        sum(count(*)) over (partition by month) as month_attempts,
        count(*) filter (where is_first) as failed_invoices,
        count(*) filter (where is_first and status = 'paid') as recovered_invoices,
        sum(due_usd) filter (where is_first) as failed_usd,
        sum(paid_usd) filter (where is_first) as recovered_usd,
        sum(due_usd - paid_usd) filter (where is_first and status = 'open') as in_dunning_usd,
        sum(due_usd - paid_usd) filter (where is_first and status = 'uncollectible') as written_off_usd,
        sum(due_usd) filter (where is_first and status = 'void') as voided_usd
    from failure
    group by month, category
),
figures as materialized (
    select metric, month || ' ' || category as period, value::numeric(24, 6) as value
    from summed
    cross join lateral (
        values
            ('failed_attempts', failed_attempts::numeric),
            ('failed_invoices', failed_invoices),
            ('recovered_invoices', recovered_invoices),
            ('failed_usd', failed_usd),
            ('recovered_usd', recovered_usd),
            ('in_dunning_usd', in_dunning_usd),
            ('written_off_usd', written_off_usd),
            ('voided_usd', voided_usd),
            ('failed_attempt_share_rate', round(failed_attempts / month_attempts, 6)),
            ('recovery_rate', round(recovered_invoices::numeric / nullif(failed_invoices, 0), 6)),
            ('leakage_rate', round(written_off_usd / nullif(failed_usd, 0), 6))
    ) as figure (metric, value)
)
select metric, period, value
from figures
where value <> 0
order by 1, 2
