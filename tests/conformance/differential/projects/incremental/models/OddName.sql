{{ config(unique_key='"Odd Key"') }}
select id as "Odd Key", kind as "a ""quoted"" one", amount as "select" from {{ ref('events') }}
