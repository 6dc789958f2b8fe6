with eph as (select * from {{ ref('eph') }}) select eph.id, e2.id as id2 from eph, {{ ref('eph2') }} e2, {{ ref('eph') }} e3
