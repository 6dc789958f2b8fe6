{{ only('weekly') }}
select 1 as a
