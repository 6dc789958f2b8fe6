-- Grain: one row per month, cut (all, plan, channel, country) and value of the cut: what MRR after discounts opened with,
-- what moved it, what it closed with. The rows of each cut add up to the row of `all`, in which no transfers are left.
with by_customer as (

    select
        movement.month_start,
        cut.cut,
        cut.cut_value,
        movement.movement_type,
        movement.churn_kind,
        movement.opening_usd,
        movement.closing_usd,
        greatest(movement.delta_usd, 0) as gained_usd,
        greatest(-movement.delta_usd, 0) as lost_usd,
        0.00 as transfer_in_usd,
        0.00 as transfer_out_usd
    from {{ ref('fct_mrr_movement') }} as movement
    inner join {{ ref('dim_customer') }} as customer on customer.customer_id = movement.customer_id
    cross join lateral (
        values ('all', 'ALL'), ('channel', customer.channel), ('country', customer.country)
    ) as cut (cut, cut_value)

),

moved as (

    select * from by_customer
    union all
    select
        month_start,
        'plan' as cut,
        plan_id as cut_value,
        movement_type,
        churn_kind,
        opening_usd,
        closing_usd,
        gained_usd,
        lost_usd,
        transfer_in_usd,
        transfer_out_usd
    from {{ ref('fct_mrr_plan_movement') }}

),

summed as (

    select
        month_start,
        cut,
        cut_value,
        sum(opening_usd) as opening_usd,
        coalesce(sum(gained_usd) filter (where movement_type = 'new'), 0.00) as new_usd,
        coalesce(sum(gained_usd) filter (where movement_type = 'reactivation'), 0.00) as reactivation_usd,
        coalesce(sum(gained_usd) filter (where movement_type not in ('new', 'reactivation')), 0.00) as expansion_usd,
        coalesce(sum(lost_usd) filter (where movement_type <> 'churn'), 0.00) as contraction_usd,
        coalesce(sum(lost_usd) filter (where movement_type = 'churn'), 0.00) as churn_usd,
        coalesce(sum(lost_usd) filter (where churn_kind = 'voluntary'), 0.00) as voluntary_churn_usd,
        coalesce(sum(lost_usd) filter (where churn_kind = 'involuntary'), 0.00) as involuntary_churn_usd,
        sum(transfer_in_usd) as transfer_in_usd,
        sum(transfer_out_usd) as transfer_out_usd,
        sum(closing_usd) as closing_usd,
        count(*) filter (where opening_usd > 0) as opening_customers,
        count(*) filter (where movement_type = 'new') as new_customers,
        count(*) filter (where movement_type = 'reactivation') as reactivated_customers,
        count(*) filter (where movement_type = 'churn') as churned_customers,
        count(*) filter (where churn_kind = 'voluntary') as voluntary_churned_customers,
        count(*) filter (where churn_kind = 'involuntary') as involuntary_churned_customers,
        count(*) filter (where closing_usd > 0) as closing_customers
    from moved
    group by month_start, cut, cut_value

),

value_seen as (

    select
        cut,
        cut_value,
        min(month_start) as first_month
    from summed
    group by cut, cut_value

)

select
    month.month_start,
    value_seen.cut,
    value_seen.cut_value,
    month.is_closed,
    coalesce(summed.opening_usd, 0.00) as opening_usd,
    coalesce(summed.new_usd, 0.00) as new_usd,
    coalesce(summed.reactivation_usd, 0.00) as reactivation_usd,
    coalesce(summed.expansion_usd, 0.00) as expansion_usd,
    coalesce(summed.contraction_usd, 0.00) as contraction_usd,
    coalesce(summed.churn_usd, 0.00) as churn_usd,
    coalesce(summed.voluntary_churn_usd, 0.00) as voluntary_churn_usd,
    coalesce(summed.involuntary_churn_usd, 0.00) as involuntary_churn_usd,
    coalesce(summed.transfer_in_usd, 0.00) as transfer_in_usd,
    coalesce(summed.transfer_out_usd, 0.00) as transfer_out_usd,
    -- MRR is normalised at one fixed rate per currency, so exchange rates move nothing.
    0.00 as fx_impact_usd,
    coalesce(summed.closing_usd, 0.00) as closing_usd,
    coalesce(summed.opening_customers, 0) as opening_customers,
    coalesce(summed.new_customers, 0) as new_customers,
    coalesce(summed.reactivated_customers, 0) as reactivated_customers,
    coalesce(summed.churned_customers, 0) as churned_customers,
    coalesce(summed.voluntary_churned_customers, 0) as voluntary_churned_customers,
    coalesce(summed.involuntary_churned_customers, 0) as involuntary_churned_customers,
    coalesce(summed.closing_customers, 0) as closing_customers,
    coalesce(summed.opening_usd, 0.00) * 12 as opening_arr_usd,
    (coalesce(summed.new_usd, 0.00) + coalesce(summed.reactivation_usd, 0.00)) * 12 as gross_arr_usd,
    coalesce(summed.churn_usd, 0.00) * 12 as cancelled_arr_usd,
    coalesce(summed.closing_usd, 0.00) * 12 as closing_arr_usd
from value_seen
inner join {{ ref('dim_month') }} as month on month.month_start >= value_seen.first_month
left join summed
    on summed.month_start = month.month_start
    and summed.cut = value_seen.cut
    and summed.cut_value = value_seen.cut_value
