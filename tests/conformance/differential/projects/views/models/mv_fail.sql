{{ config(indexes=[{'columns': ['id']}], on_configuration_change='fail') }} select id, kind from {{ ref('base') }}
