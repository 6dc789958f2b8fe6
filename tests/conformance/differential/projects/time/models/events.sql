{{ config(event_time='at', materialized='table') }} select i as id, timestamp '2024-01-01' + i * interval '8 hours' as at from generate_series(0, 8) i
