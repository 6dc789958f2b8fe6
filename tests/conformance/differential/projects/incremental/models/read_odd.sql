{{ config(materialized='view') }} select * from {{ ref('OddName') }}
