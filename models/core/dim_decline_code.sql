-- Grain: one row per decline code (card networks, ACH returns, SEPA rejects).
select
    code as decline_code,
    rail,
    category as reason_category,
    failure_class,
    failure_class = 'soft' as is_soft,
    recommended_action,
    label as decline_label
from {{ ref('decline_codes') }}
