-- What does the month say, in sentences, and where is the evidence?
select
    sentence,
    evidence_relation || '.' || evidence_column as evidence
from {{ ref('mart_narrative') }}
order by narrative_order
