-- T10: daily <= monthly active users <= users, and somewhere strictly so: a monthly figure that is really a daily one is equal
-- everywhere. Below 30 active users, as in the first days of a history, it may be by chance.
with monthly as (

    select
        month_start,
        mean_daily_active_users,
        active_users,
        (select count(*) from {{ ref('stg_users') }}) as users
    from {{ ref('mart_engagement_monthly') }}

)

select *
from monthly
where
    mean_daily_active_users > active_users
    or active_users > users
    or active_users >= 30 and not exists (
        select 1 from monthly as strict where strict.mean_daily_active_users < strict.active_users
    )
