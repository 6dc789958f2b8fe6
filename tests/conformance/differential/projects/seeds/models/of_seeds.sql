select t.id, t.amount, s.name from {{ ref('typed') }} t left join {{ ref('semicolons') }} s on s.id = t.id
