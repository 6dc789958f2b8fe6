{{ config(indexes=[{'columns': ['id']}], on_configuration_change='continue') }} select id, kind from {{ ref('base') }}
