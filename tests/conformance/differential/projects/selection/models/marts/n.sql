{{ config(tags=['nightly']) }} select * from {{ ref('m') }}
