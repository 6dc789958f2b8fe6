-- T15: the half-open ranges of one subscription do not overlap.
with followed as (

    select
        subscription_id,
        valid_from,
        valid_to,
        lead(valid_from) over (partition by subscription_id order by valid_from) as next_valid_from
    from {{ ref('int_subscription_version') }}

)

select *
from followed
where next_valid_from is not null and (valid_to is null or valid_to > next_valid_from)
