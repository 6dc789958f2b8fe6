-- Can I trust it? Raw against bronze by count, sum and hash, with what staging rejected.
select
    reconciliation.raw_table,
    reconciliation.source_rows,
    reconciliation.target_rows,
    reconciliation.is_equal,
    summary.staged_rows,
    summary.rejected_rows,
    summary.hours_before_as_of as hours_old
from {{ ref('dq_reconciliation') }} as reconciliation
inner join {{ ref('dq_summary') }} as summary on summary.raw_table = reconciliation.raw_table
order by reconciliation.source_rows desc
