{{ config(severity='warn', tags=['single']) }}
select * from {{ ref('facts') }} where id is null
