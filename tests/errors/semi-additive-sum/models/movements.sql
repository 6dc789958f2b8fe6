select date '2025-01-01' as month_start, 'all' as cut, 100 as closing_usd
