select e.id, e.at::date as day, {{ var('factor', 1) }} * d.id as n, {{ is_odd() }} as odd from {{ ref('events') }} e left join {{ ref('daily') }} d using (id)
