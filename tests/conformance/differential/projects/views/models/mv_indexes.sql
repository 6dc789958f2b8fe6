{{ config(indexes=[{'columns': ['id']}]) }} select id, kind from {{ ref('base') }}
