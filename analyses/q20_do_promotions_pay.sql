-- Do promotions pay? What each code cost and how long its customers stay, beside customers without one.
select
    promo_code,
    redemptions,
    discount_usd,
    collected_net_usd,
    discount_share_rate,
    paying_180d_rate,
    paying_180d_without_code_rate as without_code
from {{ ref('mart_promo_code') }}
order by discount_usd desc
