select 1 as id, 'ann'::text as name, 10.0::numeric(10,2) as paid
