-- Grain: one row per month, billing interval and explanation: the recurring lines of invoices against the MRR in force when their
-- period began, times its months (T16). What is left over is shown with its reason: MRR is rounded to the minor unit
-- a month, so a year may differ by six of them.
with line as (

    select
        line.line_id,
        invoice.due_month as month_start,
        price.billing_interval,
        line.currency,
        line.amount_minor,
        price.interval_months,
        version.subscription_id is not null as has_version,
        version.price_id = line.price_id and version.quantity = line.quantity as is_same_terms,
        round(version.mrr_list_minor * price.interval_months)::bigint as mrr_minor
    from {{ ref('stg_invoice_lines') }} as line
    inner join {{ ref('fct_invoice') }} as invoice on invoice.invoice_id = line.invoice_id
    inner join {{ ref('stg_prices') }} as price on price.price_id = line.price_id
    left join {{ ref('int_subscription_version') }} as version
        on version.subscription_id = line.subscription_id
        and version.valid_from <= line.period_start
        and (version.valid_to is null or version.valid_to > line.period_start)
        and version.bears_mrr
    where line.line_type = 'subscription' and not line.is_proration

),

explained as (

    select
        line.*,
        case
            when not has_version then 'no_mrr_at_period_start'
            when amount_minor = mrr_minor then 'equal'
            when is_same_terms and abs(amount_minor - mrr_minor) <= interval_months / 2.0 then 'rounding'
            when not is_same_terms then 'changed_when_period_began'
            else 'unexplained'
        end as explanation
    from line

)

select
    explained.month_start,
    explained.billing_interval,
    explained.explanation,
    count(*) as lines,
    sum({{ to_usd('explained.amount_minor') }}) as billed_list_usd,
    sum({{ to_usd('coalesce(explained.mrr_minor, 0)') }}) as mrr_times_months_usd,
    sum({{ to_usd('explained.amount_minor') }} - {{ to_usd('coalesce(explained.mrr_minor, 0)') }}) as residual_usd
from explained
inner join {{ ref('fixed_fx_rates') }} as fx on fx.currency = explained.currency
group by explained.month_start, explained.billing_interval, explained.explanation
