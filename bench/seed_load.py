#!/usr/bin/env python3
"""`marts seed` of a million rows by eight columns beside psql's `\\copy` of the same file.

    bench/seed_load.py [--rows 1000000] [--rounds 3]

The file has a number, a text with quotes and commas, an amount, a date, a timestamp, a boolean, a code and an empty
column now and then. `\\copy` gets a table with the types that marts inferred, made before its clock starts; marts reads the project,
infers the types, loads into a candidate and exchanges it. Rows and types must be equal. Memory is marts' own peak.
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

from dag import write
from server import MARTS, scratch


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


def make_file(path, rows):
    with open(path, "w", encoding="utf-8") as out:
        out.write("id,name,amount,day,at,is_paid,code,note\n")
        for g in range(1, rows + 1):
            note = "" if g % 10 else f"note {g}"
            out.write(f'{g},"Customer {g % 1000}, ""the {g % 7}th""",{g * 31 % 100000 / 100:.2f},2026-{g % 12 + 1:02}-{g % 28 + 1:02},'
                      f"2026-01-01 {g % 24:02}:{g % 60:02}:00,{'true' if g % 3 else 'false'},C{g % 50:03},{note}\n")


def timed(command, **options):
    """Wall seconds and peak memory in MB."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    text = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(text)
    return time.monotonic() - start, usage.ru_maxrss / 1024


def main():
    args = arguments()
    with scratch() as server:
        folder = os.path.join(server.folder, "project")
        write(f"{folder}/dbt_project.yml", "name: load\nversion: '1.0'\nprofile: load\n")
        write(f"{folder}/profiles.yml",
              f"load:\n  target: dev\n  outputs:\n    dev: {{type: postgres, host: '{server.folder}', port: 5432, "
              f"user: {server.user}, password: x, dbname: postgres, schema: bench, threads: 1}}\n")
        path = f"{folder}/seeds/big.csv"
        os.makedirs(os.path.dirname(path))
        make_file(path, args.rows)
        seed = [MARTS, "seed", "--project-dir", folder, "--profiles-dir", folder]
        timed(seed, cwd=folder)
        ours, theirs, memory = [], [], []
        for _ in range(args.rounds):
            wall, peak = timed(seed, cwd=folder)
            ours.append(wall)
            memory.append(peak)
            server.sql("drop table if exists bench.copied; create table bench.copied (like bench.big)")
            copy = f"\\copy bench.copied from '{path}' (format csv, header)"
            theirs.append(timed(server.psql("-c", copy))[0])
        same = server.sql("select count(*) from (table bench.big except all table bench.copied) d")
        assert same == "0" and server.sql("select count(*) from bench.big") == str(args.rows), same
        types = server.sql("select string_agg(attname || ' ' || atttypid::regtype, ', ' order by attnum) from pg_attribute "
                           "where attrelid = 'bench.big'::regclass and attnum > 0")
        ratios = " ".join(f"{a / b:.2f}" for a, b in zip(ours, theirs))
        print(f"{args.rows} rows, {os.path.getsize(path) / 1e6:.0f} MB: {types}")
        print(f"marts seed {statistics.median(ours):.2f} s, {max(memory):.0f} MB; \\copy {statistics.median(theirs):.2f} s; "
              f"times (rounds): {ratios}")


if __name__ == "__main__":
    main()
