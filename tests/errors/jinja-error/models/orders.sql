select {{ 1 + 'a' }} as number
