#!/usr/bin/env python3
"""A million rows reconciled against a million, with planted breaks of each class.

    bench/reconciles.py [--rows 1000000] [--rounds 3]

One key in 200 is broken: missing on the left or the right, another amount, a later day within the allowed days, a day
beyond them, another currency, or twice. `marts test` must find exactly the planted keys in their classes. Its wall time, and the
time of its statements on the server, stand beside a plain `count(*)` over the full join of both sides on the key, in
the same run; the first round also makes the memory of breaks, later ones know them already.
"""
import argparse
import os
import re
import statistics
import subprocess
import sys
import time

from dag import write
from server import MARTS, scratch

CLASSES = ["missing_left", "missing_right", "amount", "timing", "day", "currency", "duplicate_key"]
EVERY = 200


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def make_tables(server, rows):
    """Left is whole but for its missing rows; a key's class is its number's place among the broken."""
    kinds = ", ".join(f"'{name}'" for name in CLASSES)
    server.sql(f"""
        create schema shop;
        create table shop.truth as
        select g as id, 'pay_' || md5(g::text) as key, (g * 7919 % 100000 + 1)::bigint as amount,
            (array['USD', 'EUR', 'JPY'])[g % 3 + 1] as currency, date '2026-01-01' + (g % 300)::int as day,
            case when g % {EVERY} = 0 then (array[{kinds}])[g / {EVERY} % {len(CLASSES)} + 1] else '' end as class
        from generate_series(1::bigint, {rows}) g;
        create table shop.billed as
        select key, amount, currency, day from shop.truth where class <> 'missing_left'
        union all
        select key, amount, currency, day from shop.truth where class = 'duplicate_key';
        create table shop.collected as
        select key as reference,
            case class when 'amount' then amount + 1 else amount end as amount,
            case class when 'currency' then 'GBP' else currency end as currency,
            case class when 'timing' then day + 2 when 'day' then day + 9 else day end as paid_on
        from shop.truth where class <> 'missing_right' order by md5(key)""")
    for table in ["truth", "billed", "collected"]:
        server.sql(f"vacuum analyze shop.{table}")


def make_project(server):
    folder = os.path.join(server.folder, "project")
    write(f"{folder}/dbt_project.yml", "name: books\nversion: '1.0'\nprofile: books\n")
    write(f"{folder}/profiles.yml", f"books:\n  target: dev\n  outputs:\n    dev: {{type: postgres, host: '{server.folder}', "
                                    f"port: 5432, user: {server.user}, password: x, dbname: postgres, schema: bench, threads: 1}}\n")
    write(f"{folder}/models/sources.yml", """
sources:
  - name: shop
    schema: shop
    tables:
      - name: collected
      - name: billed
        data_tests:
          - reconciles:
              name: billed_is_collected
              arguments:
                to: source('shop', 'collected')
                key: {key: reference}
                amount: amount
                currency: currency
                day: {left: day, right: paid_on}
                timing_days: 3
""")
    return folder


def reconcile(server, folder):
    """Wall seconds, and those of its statements on the server."""
    start = time.perf_counter()
    command = [MARTS, "test", "--project-dir", folder, "--profiles-dir", folder]
    done, log = server.logged(lambda: subprocess.run(command, capture_output=True, text=True, cwd=folder))
    wall = time.perf_counter() - start - 0.3
    if done.returncode != 1:
        sys.exit(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")
    spent = [(float(ms) / 1000, text) for ms, text in re.findall(r"duration: ([0-9.]+) ms  (.*)", log)]
    return wall, sum(seconds for seconds, _ in spent), spent


def check(server):
    """The breaks that stand in the ledger's schema are the planted ones, in their classes."""
    wrong = server.sql("""
        select count(*) from (select key, class from shop.truth where class <> '') planted
        full join (select key ->> 'key' as key, class from marts_ledger.reconciliation_break where resolved_at is null) found
            using (key, class)
        where planted.* is null or found.* is null""")
    assert wrong == "0", f"{wrong} breaks are missing or wrong"
    return server.sql("""
        select string_agg(class || ' ' || n, ', ' order by class)
        from (select class, count(*) as n from marts_ledger.reconciliation_break where resolved_at is null group by 1) x""")


def plain_join(server):
    start = time.perf_counter()
    server.sql("select count(*) from shop.billed full join shop.collected on billed.key = collected.reference")
    return time.perf_counter() - start


def main():
    args = arguments()
    with scratch(["log_min_duration_statement=0"]) as server:
        make_tables(server, args.rows)
        folder = make_project(server)
        ours, database, theirs = [], [], []
        for _ in range(args.rounds):
            theirs.append(plain_join(server))
            wall, seconds, spent = reconcile(server, folder)
            ours.append(wall)
            database.append(seconds)
            found = check(server)
        print(f"{args.rows:,} keys; found as planted: {found}")
        rounds = " ".join(f"{a / b:.2f}" for a, b in zip(ours, theirs))
        print(f"marts test {statistics.median(ours):.2f} s, of it on the server {statistics.median(database):.2f} s; "
              f"plain full join {statistics.median(theirs):.2f} s; ratio {statistics.median(ours) / statistics.median(theirs):.2f} "
              f"(rounds: {rounds})")
        for seconds, text in sorted(spent, reverse=True)[:4]:
            print(f"    {seconds:6.2f} s  {' '.join(text.split())[:90]}")


if __name__ == "__main__":
    main()
