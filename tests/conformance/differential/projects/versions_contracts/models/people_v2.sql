select 1 as id, 'ann'::text as full_name
