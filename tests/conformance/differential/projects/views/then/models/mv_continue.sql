{{ config(indexes=[{'columns': ['kind']}], on_configuration_change='continue') }} select id, kind from {{ ref('base') }}
