{{ config(indexes=[{'columns': ['kind'], 'type': 'hash'}, {'columns': ['id', 'kind']}]) }} select id, kind from {{ ref('base') }}
