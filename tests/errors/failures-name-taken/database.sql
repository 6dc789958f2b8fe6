create schema analytics_lab; create table analytics_lab.precious as select 42 as a
