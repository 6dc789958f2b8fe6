#!/usr/bin/env python3
"""Forty tests of one wide table: marts' shared scan beside `--no-fuse` and beside dbt-core's `dbt test`.

    bench/fused_tests.py [--rows 2000000] [--rounds 3] [--broken]

A table of 20 columns, 40 tests of its rows: 20 not_null, 8 accepted_values, and 12 of the project's own (a range,
a text that is not blank, a comparison of two columns). Measured is database time: the sum of the durations that the server
logs for every statement of the client, on one connection; first with parallel workers off, then with
Postgres' defaults (jit on in both). The verdicts and failure counts of the three must be the same; `--broken` plants rows that
fail a fifth of the tests. Needs dbt-core 1.11 (see README.md).
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys

from server import MARTS, dbt, scratch


# Name, type, expression of the row number g.
COLUMNS = [
    ("id", "bigint", "g"),
    ("customer_id", "bigint", "g % 100003"),
    ("invoice_id", "bigint", "g / 3"),
    ("amount_cents", "bigint", "g * 7919 % 1000000"),
    ("tax_cents", "bigint", "g * 7919 % 1000000 / 5"),
    ("quantity", "integer", "g % 50 + 1"),
    ("unit_price", "numeric(12, 2)", "(g * 31 % 100000) / 100.0"),
    ("discount", "numeric(6, 4)", "(g % 100) / 100.0"),
    ("score", "double precision", "(g % 1000) / 1000.0"),
    ("is_paid", "boolean", "g % 3 <> 0"),
    ("currency", "text", "(array['USD', 'EUR', 'JPY', 'GBP', 'INR'])[g % 5 + 1]"),
    ("status", "text", "(array['active', 'trialing', 'past_due', 'canceled', 'paused'])[g % 5 + 1]"),
    ("country", "text", "(array['US', 'DE', 'JP', 'GB', 'IN', 'FR'])[g % 6 + 1]"),
    ("channel", "text", "(array['web', 'api', 'sales'])[g % 3 + 1]"),
    ("method", "text", "(array['card', 'sepa', 'upi'])[g % 3 + 1]"),
    ("plan", "text", "'p' || g % 4"),
    ("email", "text", "'user' || g % 100003 || '@example.com'"),
    ("created_on", "date", "date '2024-01-01' + (g % 600)::int"),
    ("created_at", "timestamptz", "timestamptz '2024-01-01' + g * interval '17 seconds'"),
    ("updated_at", "timestamptz", "timestamptz '2024-01-01' + (g + g % 9) * interval '17 seconds'"),
]
VALUES = {
    "currency": ["USD", "EUR", "JPY", "GBP", "INR"],
    "status": ["active", "trialing", "past_due", "canceled", "paused"],
    "country": ["US", "DE", "JP", "GB", "IN", "FR"],
    "channel": ["web", "api", "sales"],
    "method": ["card", "sepa", "upi"],
    "plan": ["p0", "p1", "p2", "p3"],
    "is_paid": [True, False],
    "quantity": list(range(1, 51)),
}
RANGES = [("amount_cents", 0, 1000000), ("tax_cents", 0, 200000), ("unit_price", 0, 1000), ("discount", 0, 1),
          ("score", 0, 1), ("id", 1, None)]
NOT_BLANK = ["email", "plan", "currency"]
EXPRESSIONS = ["tax_cents <= amount_cents", "created_at <= updated_at", "created_on >= '2024-01-01'"]
BREAKS = [
    "update t set customer_id = null where id % 1000 = 0", "update t set currency = 'XXX' where id % 500000 = 1",
    "update t set plan = ' ', method = null where id = 77", "update t set discount = 3 where id % 7 = 0",
    "update t set tax_cents = amount_cents + 1 where id in (3, 4)", "update t set quantity = 99 where id = 5",
]

MACROS = """
{% test in_range(model, column_name, low=none, high=none) %}
select * from {{ model }}
where {{ column_name }} < {{ low }}{% if high is not none %} or {{ column_name }} > {{ high }}{% endif %}
{% endtest %}

{% test not_blank(model, column_name) %}
select {{ column_name }} from {{ model }} where trim({{ column_name }}) = ''
{% endtest %}

{% test holds(model, expression) %}
select 1 from {{ model }} where not ({{ expression }})
{% endtest %}
"""


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--broken", action="store_true")
    parser.add_argument("--explain", action="store_true", help="print the shared scan's plan as well")
    return parser.parse_args()


def make_table(server, args):
    columns = ", ".join(f"({text})::{kind} as {name}" for name, kind, text in COLUMNS)
    server.sql("create schema bench")
    server.sql(f"create table bench.t as select {columns} from generate_series(1::bigint, {args.rows}) g")
    for change in BREAKS if args.broken else []:
        server.sql(change.replace("update t ", "update bench.t "))
    server.sql("vacuum (full, analyze) bench.t")


def tests():
    """The source's columns with their tests, as YAML; JSON is YAML."""
    columns = []
    for name, _, _ in COLUMNS:
        mine = ["not_null"]
        if name in VALUES:
            quote = isinstance(VALUES[name][0], str)
            mine.append({"accepted_values": {"arguments": {"values": VALUES[name], "quote": quote}}})
        mine += [{"in_range": {"arguments": {"low": low, "high": high}}} for c, low, high in RANGES if c == name]
        mine += ["not_blank"] * (name in NOT_BLANK)
        columns.append({"name": name, "data_tests": mine})
    holds = [{"holds": {"name": f"holds_{at}", "arguments": {"expression": text}}} for at, text in enumerate(EXPRESSIONS)]
    table = {"name": "t", "columns": columns, "data_tests": holds}
    return {"sources": [{"name": "bench", "schema": "bench", "tables": [table]}]}


def make_project(server):
    folder = os.path.join(server.folder, "project")
    os.makedirs(os.path.join(folder, "models"))
    os.makedirs(os.path.join(folder, "macros"))

    def write(path, text):
        with open(os.path.join(folder, path), "w") as out:
            out.write(text)

    write("dbt_project.yml", "name: wide\nversion: '1.0'\nprofile: wide\n")
    write("profiles.yml", f"wide:\n  target: dev\n  outputs:\n    dev: {{type: postgres, host: '{server.folder}', "
                          f"port: 5432, user: {server.user}, password: x, dbname: postgres, schema: bench, threads: 1}}\n")
    write("macros/tests.sql", MACROS)
    write("models/sources.yml", json.dumps(tests()))
    return folder


def verdicts(folder):
    with open(os.path.join(folder, "target", "run_results.json")) as results:
        found = json.load(results)["results"]
    return {one["unique_id"]: (one["status"], one["failures"]) for one in found}


def database_seconds(log):
    """The durations of all statements; those of the extended protocol come as parse, bind and execute."""
    return sum(float(ms) for ms in re.findall(r"duration: ([0-9.]+) ms", log)) / 1000


def ask(server, folder, command):
    """Database seconds, statements, verdicts."""
    options = ["--project-dir", folder, "--profiles-dir", folder, "--threads", "1"]
    run = lambda: subprocess.run([*command, *options], capture_output=True, text=True, cwd=folder)
    done, log = server.logged(run)
    if done.returncode not in (0, 1):
        sys.exit(done.stdout + done.stderr)
    return database_seconds(log), verdicts(folder)


def scan_plan(server, folder):
    """The plan of the shared scan, from the server's log of one run."""
    options = ["--project-dir", folder, "--profiles-dir", folder, "--threads", "1"]
    run = lambda: subprocess.run([MARTS, "test", *options], capture_output=True, text=True, cwd=folder)
    _, log = server.logged(run)
    text = re.search(r"select\s+count\(\*\) filter.*?\n\s*from [^\n]*", log, re.S).group()
    print(text)
    print(server.sql(f"explain (analyze, buffers) {text}"))


def compare(label, server, folder, rounds):
    commands = {
        "fused": [MARTS, "test"],
        "--no-fuse": [MARTS, "test", "--no-fuse"],
        "dbt test": [dbt(), "--quiet", "--no-partial-parse", "--no-send-anonymous-usage-stats", "test"],
    }
    seconds = {name: [] for name in commands}
    for _ in range(rounds):
        found = {}
        for name, command in commands.items():
            spent, found[name] = ask(server, folder, command)
            seconds[name].append(spent)
        assert len(found["fused"]) == 40, f"{len(found['fused'])} tests"
        for name in commands:
            assert found[name] == found["fused"], (name, set(found[name].items()) ^ set(found["fused"].items()))
    fused = seconds["fused"]
    failed = sum(status != "pass" for status, _ in found["fused"].values())
    print(f"{label}: 40 tests, {failed} of them fail, equal verdicts and counts; median of {rounds} rounds")
    for name, spent in seconds.items():
        ratios = [a / b for a, b in zip(spent, fused)]
        print(f"    {name:10} {statistics.median(spent):7.2f} s   {statistics.median(ratios):5.2f} times"
              f"   (rounds: {' '.join(f'{r:.2f}' for r in ratios)})", flush=True)


def main():
    args = arguments()
    with scratch(["jit=on", "log_min_duration_statement=0"]) as server:
        make_table(server, args)
        folder = make_project(server)
        server.sql("alter system set max_parallel_workers_per_gather = 0")
        server.sql("select pg_reload_conf()")
        if args.explain:
            scan_plan(server, folder)
        compare("parallel workers off", server, folder, args.rounds)
        server.sql("alter system reset max_parallel_workers_per_gather")
        server.sql("select pg_reload_conf()")
        compare("defaults", server, folder, args.rounds)


if __name__ == "__main__":
    main()
