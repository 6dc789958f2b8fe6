#!/usr/bin/env python3
"""`marts run` beside psql: the same compiled SQL, in one run, on one server.

    bench/overhead.py [--models 200] [--threads 4] [--rounds 5] [--case one-row|busy]

Makes a project of tables in layers (`one-row`: one row each; `busy`: 20-50 ms of work each), runs
`marts run` on a PostgreSQL that it starts for itself, and gives the SQL that marts compiled to psql:
as many psql processes as marts has threads, each model as soon as its parents are there. Both replace
relations that exist. Rounds alternate; the medians of their wall times are compared, and of the processor
seconds that client and server spent, which say more on a machine that others use. Start-up times stand
beside them. Needs an installed PostgreSQL; as root the server runs as the user postgres.
"""
import argparse
import glob
import os
import queue
import random
import resource
import shutil
import statistics
import subprocess
import sys
import threading
import time

from server import MARTS, ROOT, scratch

LAYERS = 10


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--case", choices=["one-row", "busy"], action="append")
    parser.add_argument("--log-statements", metavar="FILE", help="keep the server's log of marts' last run")
    return parser.parse_args()


def rows_a_millisecond(server):
    """How much of the busy case's work this machine does in a millisecond."""
    before = server.processor_seconds()
    server.sql("; ".join([f"select {aggregate(100_000)}"] * 20))
    return 20 * 100 / (server.processor_seconds() - before)


def aggregate(rows):
    return (f"(select max(m) from (select g % 97 as k, sum(g % 1000) % 7 as m "
            f"from generate_series(1, {rows}) g group by 1) x)")


def query_of(case, rng, parents, speed):
    """A model's query: of its parents one row each, and in the busy case an aggregate of its own."""
    refs = [f"{{{{ ref('{parent}') }}}}" for parent in parents]
    total = " + ".join(f"(select amount from {ref})" for ref in refs) or "1"
    if case == "one-row":
        return f"select 1 as id, 'g' as grp, {total} as amount\n"
    rows = int(rng.uniform(20, 50) * speed)
    return f"select 1 as id, 'g' as grp, {total} + {aggregate(rows)} as amount\n"


def make_project(folder, case, server, args):
    """Writes the project; the models' names and parents, in an order that respects them."""
    rng = random.Random(7)
    speed = rows_a_millisecond(server) if case == "busy" else 0
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with open(os.path.join(folder, "dbt_project.yml"), "w") as out:
        out.write("name: dag\nversion: '1.0'\nprofile: dag\nmodels:\n  dag:\n    +materialized: table\n")
    with open(os.path.join(folder, "profiles.yml"), "w") as out:
        out.write(f"dag:\n  target: dev\n  outputs:\n    dev: {{type: postgres, host: '{server.folder}', "
                  f"user: {server.user}, password: x, dbname: postgres, schema: bench_marts, threads: {args.threads}}}\n")
    models, layers = [], []
    per_layer = -(-args.models // LAYERS)
    for number in range(args.models):
        layer = number // per_layer
        if layer == len(layers):
            layers.append([])
        name = f"m_{layer:02d}_{number:04d}"
        earlier = [m for names in layers[:-1] for m in names]
        parents = [rng.choice(layers[-2])] if layer else []
        parents += [m for m in rng.sample(earlier, min(2, len(earlier))) if m not in parents]
        layers[-1].append(name)
        models.append((name, parents))
        path = os.path.join(folder, "models", f"l{layer:02d}")
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, f"{name}.sql"), "w") as out:
            out.write(query_of(case, rng, parents, speed))
    return models


def compiled(folder):
    """The SQL that marts compiled, by model, for psql's schema."""
    found = {}
    for path in glob.glob(os.path.join(folder, "target", "compiled", "**", "*.sql"), recursive=True):
        with open(path) as text:
            found[os.path.basename(path)[:-4]] = text.read().replace("bench_marts", "bench_psql")
    return found


def replacing(name, sql):
    table = f'"bench_psql"."{name}"'
    new = f'"bench_psql"."{name}__new"'
    return (f"begin;\ncreate table {new} as\n{sql};\ndrop table if exists {table};\n"
            f"alter table {new} rename to \"{name}\";\ncommit;\n\\echo {name}\n")


def run_psql(server, models, scripts, threads):
    """Seconds that psql takes on `threads` connections, starting the processes included."""
    start = time.perf_counter()
    ready, lock = queue.SimpleQueue(), threading.Lock()
    waits = {name: len(parents) for name, parents in models}
    children = {name: [] for name, _ in models}
    for name, parents in models:
        for parent in parents:
            children[parent].append(name)
    for name, count in waits.items():
        if count == 0:
            ready.put(name)
    left = [len(models)]

    def work():
        psql = subprocess.Popen(server.psql(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        while (name := ready.get()) is not None:
            psql.stdin.write(scripts[name])
            psql.stdin.flush()
            if psql.stdout.readline().strip() != name:
                os._exit(1)
            with lock:
                left[0] -= 1
                for child in children[name]:
                    waits[child] -= 1
                    if waits[child] == 0:
                        ready.put(child)
                if left[0] == 0:
                    for _ in range(threads):
                        ready.put(None)
        psql.stdin.close()
        psql.wait()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - start


def run_marts(folder):
    start = time.perf_counter()
    done = subprocess.run([MARTS, "run", "--quiet", "--project-dir", folder, "--profiles-dir", folder],
                          capture_output=True, text=True)
    took = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    return took


def processor_seconds(server):
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime + server.processor_seconds()


def measured(server, work):
    """Wall seconds and processor seconds."""
    before = processor_seconds(server)
    wall = work()
    return wall, processor_seconds(server) - before


def compared(label, ours, theirs):
    a, b = statistics.median(ours), statistics.median(theirs)
    rounds = " ".join(f"{x / y:.2f}" for x, y in zip(ours, theirs))
    return f"{label:18} marts {a:6.3f} s   psql {b:6.3f} s   ratio {a / b:5.2f}   (rounds: {rounds})"


def overhead(case, server, args):
    folder = os.path.join(server.folder, "project")
    models = make_project(folder, case, server, args)
    for schema in ["bench_marts", "bench_psql"]:
        server.sql(f"set client_min_messages = warning; drop schema if exists {schema} cascade; create schema {schema}")
    run_marts(folder)
    sql = compiled(folder)
    scripts = {name: replacing(name, sql[name]) for name, _ in models}
    run_psql(server, models, scripts, args.threads)
    ours, theirs = [], []
    for _ in range(args.rounds):
        ours.append(measured(server, lambda: run_marts(folder)))
        theirs.append(measured(server, lambda: run_psql(server, models, scripts, args.threads)))
    if args.log_statements:
        log_statements(server, folder, args.log_statements)
    same = server.sql("select count(*) from pg_tables where schemaname in ('bench_marts', 'bench_psql')")
    assert int(same) == 2 * args.models, f"{same} tables"
    left = server.sql("select count(*) from pg_namespace where nspname like 'bench\\_marts\\_%'")
    assert left == "0", f"{left} schemas left behind"
    for at, what in enumerate(["wall", "processor"]):
        print(compared(f"{case}, {what}", [o[at] for o in ours], [t[at] for t in theirs]), flush=True)


def log_statements(server, folder, path):
    server.sql("alter system set log_statement = 'all'")
    server.sql("alter system set log_duration = on")
    server.sql("select pg_reload_conf()")
    at = os.path.getsize(server.log)
    run_marts(folder)
    with open(server.log) as log, open(path, "w") as out:
        log.seek(at)
        out.write(log.read())
    for name in ["log_statement", "log_duration"]:
        server.sql(f"alter system reset {name}")
    server.sql("select pg_reload_conf()")


def milliseconds(command, rounds=15, **options):
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def start_up(server):
    rows = [
        ("marts --version", [MARTS, "--version"], ROOT),
        ("marts ls (reference project)", [MARTS, "ls"], ROOT),
        ("psql --version", [os.path.join(server.bin, "psql"), "--version"], None),
        ("psql -c 'select 1'", server.psql("-c", "select 1"), None),
    ]
    for label, command, cwd in rows:
        print(f"{label:30} {milliseconds(command, cwd=cwd):7.1f} ms", flush=True)


def main():
    args = arguments()
    with scratch() as server:
        print(f"{args.models} models in {LAYERS} layers, {args.threads} connections, median of {args.rounds} rounds",
              flush=True)
        for case in args.case or ["one-row", "busy"]:
            overhead(case, server, args)
        start_up(server)


if __name__ == "__main__":
    main()
