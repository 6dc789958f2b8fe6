{{ config(unique_key='id', indexes=[{'columns': ['id'], 'unique': true}, {'columns': ['kind', 'at'], 'type': 'btree'}]) }}
select id, kind, amount, at from {{ ref('events') }}
