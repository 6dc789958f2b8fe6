{{ config(alias='very_very_very_very_very_very_very_very_very_very_very_very_very_long') }}
select 1 as id
