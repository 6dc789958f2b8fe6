create schema raw; create table raw.customers (id int)
