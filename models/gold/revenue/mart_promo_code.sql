-- Grain: one row per promotion code: who used it, what it cost, what came in, and how many are still with us. What was given is
-- the discount on billed invoices of the subscriptions that used the code.
with redeemed as (

    select distinct
        discount.promo_code,
        discount.subscription_id,
        discount.customer_id
    from {{ ref('stg_discounts') }} as discount
    inner join {{ ref('dim_customer') }} as customer on customer.customer_id = discount.customer_id

),

counted as (

    select
        promo_code,
        count(*) as redemptions,
        count(distinct customer_id) as customers
    from redeemed
    group by promo_code

),

billed as (

    select
        redeemed.promo_code,
        sum({{ to_usd('invoice.discount_minor') }}) as discount_usd,
        sum(fact.billed_usd) as billed_usd,
        sum(fact.collected_usd - fact.refunded_usd - fact.lost_disputes_usd) as collected_net_usd
    from redeemed
    inner join {{ ref('stg_invoices') }} as invoice on invoice.subscription_id = redeemed.subscription_id
    inner join {{ ref('fct_invoice') }} as fact on fact.invoice_id = invoice.invoice_id and fact.is_billed
    inner join {{ ref('fixed_fx_rates') }} as fx on fx.currency = invoice.currency
    group by redeemed.promo_code

),

life as (

    select
        redeemed.promo_code,
        count(*) as paying_ever,
        count(*) filter (where not lifetime.is_ended) as still_paying,
        count(*) filter (where lifetime.started_at + interval '180 days' <= as_of.as_of_at) as observable_180d,
        count(*) filter (
            where lifetime.started_at + interval '180 days' <= as_of.as_of_at and lifetime.duration_days >= 180
        ) as paying_180d
    from (select distinct promo_code, customer_id from redeemed) as redeemed
    inner join {{ ref('int_customer_lifetime') }} as lifetime on lifetime.customer_id = redeemed.customer_id
    cross join {{ ref('as_of') }} as as_of
    group by redeemed.promo_code

),

without_code as (

    select
        count(*) filter (where lifetime.duration_days >= 180)::numeric / nullif(count(*), 0) as paying_180d_rate
    from {{ ref('int_customer_lifetime') }} as lifetime
    cross join {{ ref('as_of') }} as as_of
    where
        lifetime.started_at + interval '180 days' <= as_of.as_of_at
        and not exists (select 1 from redeemed where redeemed.customer_id = lifetime.customer_id)

)

select
    counted.promo_code,
    counted.redemptions,
    counted.customers,
    coalesce(life.paying_ever, 0) as paying_ever,
    coalesce(life.still_paying, 0) as still_paying,
    coalesce(billed.discount_usd, 0.00) as discount_usd,
    coalesce(billed.billed_usd, 0.00) as billed_usd,
    coalesce(billed.collected_net_usd, 0.00) as collected_net_usd,
    {{ rate('billed.discount_usd', 'billed.discount_usd + billed.billed_usd') }} as discount_share_rate,
    coalesce(life.observable_180d, 0) as observable_180d,
    {{ rate('life.paying_180d', 'life.observable_180d') }} as paying_180d_rate,
    round(without_code.paying_180d_rate, 6) as paying_180d_without_code_rate
from counted
cross join without_code
left join billed on billed.promo_code = counted.promo_code
left join life on life.promo_code = counted.promo_code
