select 1 as id from {{ source('raw', 'events') }} limit 1
