create table public.orders (id integer primary key);
create table public.payments (order_id integer references public.orders);
