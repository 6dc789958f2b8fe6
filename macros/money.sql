{#
  Minor units of a currency as USD, rounded once to the cent. `fx` is the alias of the joined row of fixed_fx_rates.
  Convert at the grain where money is booked, then add: a sum of rounded rows ties, a rounded sum does not.
#}
{% macro to_usd(amount_minor, fx='fx') -%}
    round(({{ amount_minor }}) * {{ fx }}.usd_per_unit / power(10::numeric, {{ fx }}.minor_unit_exponent), 2)
{%- endmacro %}
