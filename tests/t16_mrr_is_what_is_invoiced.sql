-- T16: every recurring line of an invoice is the MRR in force at its period's beginning times its months, or says why not.
select *
from {{ ref('dq_mrr_bridge') }}
where explanation = 'unexplained'
