select 1/(id - 1) as id from {{ ref('stg_b') }}
