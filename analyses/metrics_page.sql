-- The lines of docs/metrics.md, from metric_catalog: marts show --select metrics_page --limit 1000 --output json
with line as (

    select
        metric_group,
        metric,
        concat_ws(
            ' | ',
            '| `' || metric || '`',
            label,
            definition,
            unit,
            case additivity when 'semi-additive' then 'not over ' || not_additive_over when 'ratio' then 'never added' else 'additive' end,
            formula,
            '`' || source_relation || '.' || source_column || '`',
            owner || ' |'
        ) as text
    from {{ ref('metric_catalog') }}

)

select text
from (
    select distinct metric_group, 0 as part, '' as metric, '' as text from line
    union all
    select distinct metric_group, 1, '', '## ' || metric_group from line
    union all
    select distinct metric_group, 2, '', '' from line
    union all
    select distinct metric_group, 3, '', '| metric | name | what it is | unit | adding | formula | where | owner |' from line
    union all
    select distinct metric_group, 4, '', '|---|---|---|---|---|---|---|---|' from line
    union all
    select metric_group, 5, metric, text from line
) as page
order by metric_group, part, metric
