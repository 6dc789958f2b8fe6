{{ config(alias='orders_of_all_customers_that_ever_ordered_anything_from_us_since_the_start') }}
select 1 as id
