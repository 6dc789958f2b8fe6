#!/usr/bin/env python3
"""marts beside dbt-core on generated projects: start-up, parse, ls, compile, run and test.

    bench/dbt_speed.py [--models 100 1000 5000] [--rounds 3] [--threads 4] [--dbt-database-limit 1000]

Each command of both runs on the same project and the same server, in turn; the best of its rounds counts, since other
work on the machine only ever adds. Wall seconds, the processor seconds of the client alone, and its peak memory. dbt parses from
nothing (`--no-partial-parse`); where it keeps its partial parse, `parse again` shows what that saves.
Commands that dbt needs minutes for (run and test of more models than `--dbt-database-limit`) are run by marts alone. Needs
dbt-core 1.11 (see README.md).
"""
import argparse
import os
import subprocess
import sys
import time

import dag
from server import MARTS, dbt, scratch

DBT_FLAGS = ["--quiet", "--no-send-anonymous-usage-stats", "--no-version-check"]


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=int, nargs="+", default=[100, 1000, 5000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--dbt-database-limit", type=int, default=1000)
    parser.add_argument("--only", nargs="+", help="these commands alone")
    parser.add_argument("--no-dbt", action="store_true")
    return parser.parse_args()


class Used:
    """What one command took: wall and processor seconds, peak memory in MB."""

    def __init__(self, command, folder):
        start = time.perf_counter()
        with open(os.path.join(folder, "output"), "w+") as output:
            child = subprocess.Popen(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            self.wall = time.perf_counter() - start
            output.seek(0)
            said = output.read()
            # dbt's renames and drops of neighbouring views meet now and then in a second run;
            # the rest of that run took its time all the same.
            if child.returncode != 0 and "deadlock detected" not in said:
                sys.exit(f"{command}:\n{said[-4000:]}")
            if child.returncode != 0:
                print(f"      deadlock detected in {os.path.basename(command[0])}; the time counts")
        self.processor = usage.ru_utime + usage.ru_stime
        self.memory = usage.ru_maxrss / 1024


class Best:
    """The least of each over the rounds."""

    def __init__(self, rounds):
        self.wall = min(one.wall for one in rounds)
        self.processor = min(one.processor for one in rounds)
        self.memory = min(one.memory for one in rounds)


def commands(folder, threads):
    place = ["--project-dir", folder, "--profiles-dir", folder]
    busy = [*place, "--threads", str(threads)]
    plain = ["--no-partial-parse"]
    return {
        "start-up": (["--version"], ["--version"]),
        "parse": (["parse", *place], [*DBT_FLAGS, *plain, "parse", *place]),
        "parse again": (["parse", *place], [*DBT_FLAGS, "parse", *place]),
        "ls": (["ls", *place], [*DBT_FLAGS, *plain, "ls", *place]),
        "compile": (["compile", *busy], [*DBT_FLAGS, *plain, "compile", *busy]),
        "run": (["run", *busy], [*DBT_FLAGS, *plain, "run", *busy]),
        "test": (["test", *busy], [*DBT_FLAGS, *plain, "test", *busy]),
    }


def line(size, name, ours, theirs):
    text = f"{size:>6}  {name:12} marts {ours.wall:7.3f} s {ours.processor:7.3f} cpu-s {ours.memory:6.0f} MB"
    if theirs:
        text += (f"   dbt {theirs.wall:7.2f} s {theirs.processor:7.2f} cpu-s {theirs.memory:6.0f} MB"
                 f"   ratio wall {theirs.wall / ours.wall:6.1f} cpu {theirs.processor / max(ours.processor, 0.001):6.1f}")
    print(text, flush=True)


def size_of(server, count, args):
    folder = os.path.join(server.folder, f"dag_{count}")
    connection = (f"{{type: postgres, host: '{server.folder}', port: 5432, user: {server.user}, password: x, "
                  f"dbname: postgres, schema: dag_{count}, threads: {args.threads}}}")
    dag.make(folder, count, connection)
    place = ["--project-dir", folder, "--profiles-dir", folder]
    Used([MARTS, "seed", "--quiet", *place], folder)
    for name, (ours, theirs) in commands(folder, args.threads).items():
        if args.only and name not in args.only or (name == "start-up" and count != args.models[0]):
            continue
        database = name in ["run", "test"]
        with_dbt = not args.no_dbt and not (database and count > args.dbt_database_limit)
        mine, others = [], []
        if name == "test":
            # A deadlock in dbt's run leaves relations out.
            Used([MARTS, "run", "--quiet", *place], folder)
        for number in range(args.rounds):
            mine.append(Used([MARTS, *ours], folder))
            # dbt's are long, so other work on the machine evens out sooner.
            if with_dbt and (number == 0 or others[0].wall < 20):
                others.append(Used([dbt(), *theirs], folder))
        line(count, name, Best(mine), Best(others) if others else None)


def main():
    args = arguments()
    with scratch(["max_connections=200"]) as server:
        for count in args.models:
            size_of(server, count, args)


if __name__ == "__main__":
    main()
