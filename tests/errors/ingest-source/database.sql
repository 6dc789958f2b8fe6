create schema app; create table app.orders (id int)
