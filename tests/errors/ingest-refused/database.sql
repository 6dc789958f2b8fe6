create schema app; create table app.orders (id int); create schema raw; create table raw.orders (id int)
