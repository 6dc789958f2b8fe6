select {{ function('plus') }}(1, 2) as three
