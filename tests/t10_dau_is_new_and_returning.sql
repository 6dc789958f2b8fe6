-- T10: DAU = new + returning + resurrected, and the two marts that say DAU say the same.
select
    growth.activity_date,
    growth.active_users,
    active.dau
from {{ ref('mart_user_growth') }} as growth
full join (
    select activity_date, dau from {{ ref('mart_active_users') }} where cut = 'all'
) as active on active.activity_date = growth.activity_date
where coalesce(growth.active_users, 0) <> coalesce(active.dau, 0)
