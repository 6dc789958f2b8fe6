{{ config(tags=['truth']) }}

-- T12 on dirty data: a defect that must be rejected is among the rejects, one of two deliveries is staged, and what came late is
-- staged once. Without `marts generate --dirt` there are no defects, and this asks nothing.
with staged as (

    select 'product_events' as raw_table, event_id as record_id from {{ ref('stg_product_events') }}
    union all
    select 'subscription_events' as raw_table, event_id as record_id from {{ ref('stg_subscription_events') }}
    union all
    select 'churn_events' as raw_table, event_id as record_id from {{ ref('stg_churn_events') }}
    union all
    select 'invoices' as raw_table, invoice_id as record_id from {{ ref('stg_invoices') }}
    union all
    select 'invoice_lines' as raw_table, line_id as record_id from {{ ref('stg_invoice_lines') }}
    union all
    select 'payment_attempts' as raw_table, attempt_id as record_id from {{ ref('stg_payment_attempts') }}
    union all
    select 'refunds' as raw_table, refund_id as record_id from {{ ref('stg_refunds') }}

),

found as (

    select
        defect.defect_id,
        count(*) as staged
    from {{ source('truth', 'injected_defects') }} as defect
    inner join staged on staged.raw_table = defect.raw_table and staged.record_id = defect.record_id
    group by defect.defect_id

),

refused as (

    select
        defect.defect_id,
        count(*) as rejected
    from {{ source('truth', 'injected_defects') }} as defect
    inner join {{ ref('dq_rejects') }} as reject
        on reject.raw_table = defect.raw_table and reject.record_id = defect.record_id
    group by defect.defect_id

),

judged as (

    select
        defect.defect_id,
        defect.fate,
        coalesce(found.staged, 0) as staged,
        coalesce(refused.rejected, 0) as rejected
    from {{ source('truth', 'injected_defects') }} as defect
    left join found on found.defect_id = defect.defect_id
    left join refused on refused.defect_id = defect.defect_id

)

select *
from judged
where staged <> case fate when 'rejected' then 0 else 1 end or rejected <> case fate when 'rejected' then 1 else 0 end
