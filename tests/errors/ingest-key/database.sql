create schema app; create table app.orders (id int); insert into app.orders values (1), (2), (1)
