{{ config(indexes=[{'columns': ['id'], 'unique': true}]) }} select id, kind from {{ ref('base') }}
