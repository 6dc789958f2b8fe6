{{ config(indexes=[{'columns': ['kind']}], on_configuration_change='fail') }} select id, kind from {{ ref('base') }}
