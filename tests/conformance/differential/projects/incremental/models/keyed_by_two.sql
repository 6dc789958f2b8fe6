{{ config(unique_key=['kind', 'day'], incremental_strategy='delete+insert') }}
select kind, at::date as day, sum(amount) as amount, count(*) as n from {{ ref('events') }} group by 1, 2
