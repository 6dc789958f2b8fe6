select {{ dbt.type_strin() }} as kind
