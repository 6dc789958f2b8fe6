{#
  The columns that both payment reliability marts share: counts and values that add up, then the rates, which
  are made anew from the counts at each grain and never averaged.
#}
{% macro payment_reliability_counts() -%}
    {{ return([
        'invoices', 'invoices_attempted', 'attempts', 'failed_attempts',
        'invoices_with_1_attempt', 'invoices_with_2_attempts', 'invoices_with_3_attempts',
        'invoices_with_4_or_more_attempts',
        'first_attempt_failures', 'mature_invoices_attempted', 'final_failures',
        'failed_invoices', 'recovered_invoices', 'in_dunning_invoices', 'written_off_invoices', 'voided_invoices',
        'failed_usd', 'recovered_usd', 'in_dunning_usd', 'written_off_usd', 'voided_usd',
        'observable_7d_invoices', 'recovered_7d_invoices', 'observable_14d_invoices', 'recovered_14d_invoices',
        'observable_30d_invoices', 'recovered_30d_invoices',
        'attempt_month_invoices', 'attempt_month_first_failures',
    ]) }}
{%- endmacro %}

{% macro payment_reliability_columns() -%}
    {%- for column in payment_reliability_counts() %}
    {{ column }},
    {%- endfor %}
    {{ rate('first_attempt_failures', 'invoices_attempted') }} as first_attempt_failure_rate,
    {{ rate('failed_attempts', 'attempts') }} as attempt_failure_rate,
    {{ rate('final_failures', 'mature_invoices_attempted') }} as final_failure_rate,
    {{ rate('attempts', 'invoices_attempted') }} as avg_attempts,
    {{ rate('recovered_invoices', 'failed_invoices') }} as recovery_rate,
    {{ rate('recovered_usd', 'failed_usd') }} as recovery_value_rate,
    {{ rate('written_off_usd', 'failed_usd') }} as leakage_rate,
    {{ rate('recovered_7d_invoices', 'observable_7d_invoices') }} as recovery_7d_rate,
    {{ rate('recovered_14d_invoices', 'observable_14d_invoices') }} as recovery_14d_rate,
    {{ rate('recovered_30d_invoices', 'observable_30d_invoices') }} as recovery_30d_rate,
    {{ rate('attempt_month_first_failures', 'attempt_month_invoices') }} as attempt_month_first_failure_rate
{%- endmacro %}
