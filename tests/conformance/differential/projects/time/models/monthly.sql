{{ config(materialized='incremental', incremental_strategy='microbatch', unique_key='id', event_time='at', begin='2023-12-01', batch_size='month') }} select id, at from {{ ref('events').render() }}
