-- Grain: one row per month in which invoices were due and step: from what was billed for automatic charging to what leaked.
-- The steps after `failed` are the ends of failed invoices; with `paid_on_first_try` they make up what was tried.
with invoice as (

    select
        due_month as month_start,
        amount_due_usd,
        collected_usd,
        is_attempted,
        is_attempted and failed_attempts > 0 as is_failed,
        payment_state
    from {{ ref('fct_invoice') }}
    where is_auto_charged and status <> 'draft'

),

step as (

    select
        invoice.month_start,
        listed.step_order,
        listed.step,
        count(*) filter (where listed.holds) as invoices,
        coalesce(sum(listed.amount_usd), 0.00) as amount_usd
    from invoice
    cross join lateral (
        values
            (1, 'billed', true),
            (2, 'attempted', is_attempted),
            (3, 'paid_on_first_try', is_attempted and not is_failed and payment_state = 'paid_on_first_try'),
            (4, 'failed', is_failed),
            (5, 'recovered', is_failed and payment_state = 'recovered'),
            (6, 'in_dunning', is_failed and payment_state = 'in_dunning'),
            (7, 'voided', is_failed and payment_state = 'voided_after_failure'),
            (8, 'leaked', is_failed and payment_state = 'written_off')
    ) as named (step_order, step, holds)
    -- What was paid of an invoice whose rest is open or was written off has come back.
    cross join lateral (
        select
            named.step_order,
            named.step,
            named.holds,
            case
                when named.step = 'recovered' then case when invoice.is_failed then invoice.collected_usd end
                when named.holds and named.step in ('in_dunning', 'leaked') then invoice.amount_due_usd - invoice.collected_usd
                when named.holds then invoice.amount_due_usd
            end as amount_usd
    ) as listed
    group by invoice.month_start, listed.step_order, listed.step

),

compared as (

    select
        step.*,
        max(invoices) filter (where step = 'billed') over (partition by month_start) as billed_invoices,
        max(amount_usd) filter (where step = 'billed') over (partition by month_start) as billed_usd
    from step

)

select
    compared.month_start,
    compared.step,
    compared.step_order,
    month.is_closed,
    month.is_mature,
    compared.invoices,
    compared.amount_usd,
    {{ rate('compared.invoices', 'compared.billed_invoices') }} as of_billed_invoices_rate,
    {{ rate('compared.amount_usd', 'compared.billed_usd') }} as of_billed_usd_rate
from compared
inner join {{ ref('dim_month') }} as month on month.month_start = compared.month_start
