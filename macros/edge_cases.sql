{#
  The awkward cases of a billing system and how often each is in the data: one row per case. `least` is what the demo's
  data must have (tests/edge_cases_occur.sql); null where the case is left to `--dirt` or to its fixture.
#}
{% macro edge_case_counts() -%}
select 1 as case_order, 'annual_mid_term_upgrade' as edge_case, 'upgrades' as counted, count(*) as occurrences, 1 as least
from {{ ref('stg_subscription_events') }} as event
inner join {{ ref('stg_prices') }} as price on price.price_id = event.price_id
where event.event_type = 'upgraded' and price.billing_interval = 'year'
union all
select 2, 'credit_above_the_charge', 'credit notes', count(*), 1
from {{ ref('stg_credit_notes') }}
where credit_reason = 'downgrade'
union all
select 3, 'credit_balance', 'invoices', count(*), 1
from {{ ref('stg_invoices') }}
where credit_applied_minor > 0
union all
select 4, 'nothing_due', 'invoices', count(*), 1
from {{ ref('fct_invoice') }}
where payment_state = 'nothing_due'
union all
select 5, 'full_discount', 'invoices', count(*), 1
from {{ ref('stg_invoices') }}
where subtotal_minor > 0 and discount_minor = subtotal_minor
union all
select 6, 'trial_not_converted', 'subscriptions', count(*), 1
from {{ ref('stg_subscriptions') }}
where trial_end is not null and activated_at is null and ended_at is not null
union all
select 7, 'trial_converted_first_payment_failed', 'invoices', count(*), 1
from {{ ref('fct_invoice') }} as invoice
inner join {{ ref('stg_subscriptions') }} as subscription on subscription.subscription_id = invoice.subscription_id
where
    invoice.billing_reason = 'subscription_create'
    and invoice.is_first_attempt_failed
    and subscription.trial_end is not null
union all
select 8, 'coupon_expiry', 'subscriptions', count(*), 1
from {{ ref('stg_subscription_events') }}
where event_type = 'discount_expired'
union all
select 9, 'currency_switch', 'customers', count(*), 1
from (
    select customer_id
    from {{ ref('stg_invoices') }}
    group by customer_id
    having count(distinct currency) > 1
) as switched
union all
select 10, 'plan_switched_twice_in_a_month', 'subscriptions and months', count(*), 1
from (
    select subscription_id, {{ local_month('effective_at') }} as month_start
    from {{ ref('stg_subscription_events') }}
    where event_type in ('upgraded', 'downgraded')
    group by 1, 2
    having count(*) > 1
) as switched
union all
select 11, 'pause_and_resume', 'resumes', count(*), 1
from {{ ref('stg_subscription_events') }}
where event_type = 'resumed'
union all
select 12, 'void_after_failure', 'invoices', count(*), 1
from {{ ref('fct_invoice') }}
where payment_state = 'voided_after_failure'
union all
select 13, 'paid_after_write_off', 'invoices', count(*), 1
from {{ ref('fct_invoice') }}
where status = 'paid' and uncollectible_at is not null
union all
select 14, 'paid_in_parts', 'invoices', count(*), 1
from (
    select invoice_id
    from {{ ref('fct_payment') }}
    group by invoice_id
    having count(*) > 1
) as parted
union all
select 15, 'part_paid_rest_written_off', 'invoices', count(*), 1
from {{ ref('fct_invoice') }}
where status = 'uncollectible' and amount_paid_minor > 0
union all
select 16, 'refund_in_a_later_month', 'refunds', count(*), 1
from {{ ref('fct_refund') }} as refund
inner join {{ ref('fct_payment') }} as payment on payment.attempt_id = refund.attempt_id
where refund.succeeded_month > payment.paid_month
union all
select 17, 'dispute_won', 'disputes', count(*), 1
from {{ ref('fct_dispute') }}
where status = 'won'
union all
-- Banks answer within two and a half days; what fails later had gone through.
select 18, 'debit_returned_after_success', 'attempts', count(*), 1
from {{ ref('fct_payment_attempt') }}
where is_failed and method_type in ('ach_debit', 'sepa_debit') and settled_at > attempted_at + interval '60 hours'
union all
select 19, 'retry_in_a_later_month', 'attempts', count(*), 1
from {{ ref('fct_payment_attempt') }}
where attempt_number > 1 and is_auto_charged and attempted_month > due_month
union all
select 20, 'retry_in_a_later_year', 'attempts', count(*), 1
from {{ ref('fct_payment_attempt') }}
where attempt_number > 1 and is_auto_charged and extract(year from attempted_month) > extract(year from due_month)
union all
select 21, 'anchor_on_29_february', 'subscriptions', count(*), 1
from {{ ref('stg_subscriptions') }}
where to_char(activated_date, 'MMDD') = '0229'
union all
select 22, 'anchor_on_a_31st', 'subscriptions', count(*), 1
from {{ ref('stg_subscriptions') }}
where extract(day from activated_date) = 31
union all
-- Days of 23 or 25 hours where the customer is.
select 23, 'clocks_change', 'attempts', count(*), 1
from {{ ref('stg_payment_attempts') }} as attempt
inner join {{ ref('stg_customers') }} as customer on customer.customer_id = attempt.customer_id
cross join lateral (select (attempt.attempted_at at time zone customer.timezone)::date as local_day) as its
where
    (its.local_day + 1)::timestamp at time zone customer.timezone - its.local_day::timestamp at time zone customer.timezone
    <> interval '24 hours'
union all
select 24, 'event_sent_twice', 'events', count(*), null::integer
from (
    select event_id
    from {{ source('raw', 'product_events') }}
    group by event_id
    having count(*) > 1
) as twice
union all
select 25, 'event_heard_of_on_a_later_day', 'events', count(*), 1
from {{ ref('stg_product_events') }}
where {{ local_date('received_at') }} > activity_date
union all
select 26, 'clock_ahead_of_ours', 'events', count(*), 1
from {{ ref('stg_product_events') }}
where received_at < occurred_at
union all
select 27, 'deleted_customer_with_history', 'customers', count(*), 1
from {{ ref('dim_customer') }} as customer
where is_deleted and exists (
    select 1
    from {{ ref('fct_invoice') }} as invoice
    where invoice.customer_id = customer.customer_id
)
union all
select 28, 'test_account', 'customers', count(*), 1
from {{ ref('stg_customers') }}
where is_test
union all
select 29, 'merged_customer', 'customers', count(*), 1
from {{ ref('stg_subscriptions') }}
where end_reason = 'merged'
union all
select 30, 'backdated_start', 'subscriptions', count(*), 1
from {{ ref('stg_subscription_events') }}
where event_type = 'started' and received_at > effective_at + interval '1 day'
union all
select 31, 'open_ended_period', 'subscription versions', count(*), 1
from {{ ref('int_subscription_version') }}
where valid_to is null
{%- endmacro %}
