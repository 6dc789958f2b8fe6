select {{ dbt_utils.star(ref('a')) }} from a
