select id, kind, {{ is_incremental() }} as again from {{ ref('events') }}
