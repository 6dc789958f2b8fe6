select * from {{ ref('dims') }} where sort > {{ var('few') }}
