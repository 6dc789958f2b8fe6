{% set day = modules.datetime.date(2024, 2, 28) %}
-- {{ day + modules.datetime.timedelta(days=2) }} {{ (modules.datetime.date(2024, 3, 1) - day).days }} {{ day.strftime('%A %d %b %Y') }}
-- {{ run_started_at }} {{ run_started_at.strftime('%Y%m%dT%H%M%S%f %z') }} {{ run_started_at.astimezone(modules.pytz.timezone('Europe/Berlin')) }}
-- {{ modules.datetime.datetime.strptime('2024-01-31 10:20', '%Y-%m-%d %H:%M').isoformat() }} {{ modules.datetime.timedelta(hours=-1) }}
-- {{ modules.re.sub('(\w)(\d)', '\\2\\1', 'a1 b2') }} {{ modules.re.match('a(?P<n>\d)', 'a7').group('n') }} {{ modules.itertools.product('ab', [1, 2]) | list }}
