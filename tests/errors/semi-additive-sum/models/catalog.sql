select 'mrr' as metric
