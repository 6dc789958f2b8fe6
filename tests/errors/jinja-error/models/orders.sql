{{ exceptions.raise_compiler_error("orders needs the var `start`") }}
select 1 as id
