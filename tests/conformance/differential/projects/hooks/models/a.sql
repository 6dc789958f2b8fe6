{{ config(post_hook=["{{ tell('own post') }}", {"sql": "comment on column {{ this }}.id is 'by hook'", "transaction": true}], sql_header="set local work_mem = '8MB';") }}
select 1 as id, current_setting('work_mem') as mem
