-- {{ [1, 2.0, 'it''s', none, true, (1,), {'k': "it's"}] }}
{% set a = [3, 1] %}{% set b = a %}{% do b.append(2) %}{% do a.extend((9, 8)) %}
-- {{ a }} {{ b | sort }} {{ a[1:3] + ['x'] }} {{ a.pop() }} {{ a.index(1) }}
{% set d = {} %}{% do d.setdefault('k', []).append(1) %}{% do d.update({'z': none}, y=2) %}
-- {{ d }} {{ d.get('nope') }} {{ d.pop('z') }} {{ d.items() | list }} {{ 'k' in d }}
-- {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 'ab' * 2 }} {{ '%s-%03d' % ('a', 7) }}
-- {{ 'a,b,c'.split(',', 1) }} {{ 'Straße'.upper() }} {{ 'x'.zfill(3) }} {{ 'a-b-c'.rsplit('-', 1) }} {{ '{:>4}|{k}'.format(1, k=2) }}
-- {{ 2.5 | round }} {{ 3.14159 | round(2) }} {{ '42.9' | int }} {{ 'x' | int(-1) }} {{ {'b': 1, 'a': '<'} | tojson }}
-- {{ '\d+\.\x41' }} {{ "tab\t|" }} {{ 1 if false }}
