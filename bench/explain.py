#!/usr/bin/env python3
"""The plan of every model on the data that is there, and what in it grows faster than the data.

    bench/explain.py URL [--target target] [--select NAME ...] [--layers core,gold] [--keep DIR]

Reads `target/manifest.json` and the compiled SQL beside it (`marts compile --full-refresh` first), runs
`explain (analyze, buffers)` of each model's query without parallel workers, and prints one line a model, the dearest first:
processor seconds and wall seconds (which other work on the machine lengthens), rows, what spilled to disk, and findings:

  nested   a nested loop (or a sub-plan) that ran its inner side often and touched many rows
  repeated a relation or a CTE that was read in whole more than once
  estimate a node of many rows that the planner took for a tenth or less of them, or for ten times as many
  spill    a sort or a hash that did not fit into work_mem

It changes nothing in the database: every statement is a read. `--keep` writes each plan as text.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys

MANY = 200_000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--target", default="target", type=pathlib.Path)
    parser.add_argument("--layers", default="core,gold")
    parser.add_argument("--select", nargs="*")
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--timeout", default="300s")
    options = parser.parse_args()
    manifest = json.loads((options.target / "manifest.json").read_text())
    models = [
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
        and node["schema"] in options.layers.split(",")
        and (not options.select or node["name"] in options.select)
    ]
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    found = []
    for model in models:
        compiled = options.target / "compiled" / model["package_name"] / model["original_file_path"]
        plan = explain(options, compiled.read_text()) if compiled.exists() else "not compiled"
        if isinstance(plan, str):
            print(f"{model['name']}: {plan}", file=sys.stderr)
            continue
        if options.keep:
            (options.keep / f"{model['name']}.json").write_text(json.dumps(plan, indent=1))
        found.append((plan["Processor Time"], model, plan))
        print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for _, model, plan in sorted(found, key=lambda item: -item[0]):
        report(model, plan)


def explain(options, query):
    statement = f"""
        set statement_timeout = '{options.timeout}'; set max_parallel_workers_per_gather = 0;
        set client_min_messages = log; set log_executor_stats = on;
        explain (analyze, buffers, timing off, settings, format json) {query}"""
    done = subprocess.run(
        ["psql", options.url, "-qAtX", "-v", "ON_ERROR_STOP=1"], input=statement, capture_output=True, text=True
    )
    if done.returncode != 0:
        return done.stderr.strip().splitlines()[0]
    plan = json.loads(done.stdout)[0]
    # The backend's own account of itself: "!	1.2 s user, 0.1 s system, 1.4 s elapsed".
    used = re.findall(r"([0-9.]+) s user, ([0-9.]+) s system, [0-9.]+ s elapsed", done.stderr)
    plan["Processor Time"] = max(float(user) + float(system) for user, system in used)
    return plan


def walk(node):
    yield node
    for child in node.get("Plans", []):
        yield from walk(child)


def report(model, plan):
    top = plan["Plan"]
    notes = collections.Counter()
    whole = collections.Counter()
    for node in walk(top):
        loops, rows, guess = node["Actual Loops"], node["Actual Rows"], node["Plan Rows"]
        touched = loops * (rows + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0))
        kind = node["Node Type"]
        if kind == "Nested Loop":
            inner = node["Plans"][1]
            width = inner["Actual Rows"] + inner.get("Rows Removed by Filter", 0)
            removed = node.get("Rows Removed by Join Filter", 0) * loops
            if inner["Actual Loops"] * max(width, 1) > MANY or removed > MANY:
                notes[f"nested {inner['Node Type']} {inner.get('Relation Name', inner.get('CTE Name', ''))}"
                      f" {inner['Actual Loops']:,} x {width:,}" + (f", {removed:,} thrown away" if removed else "")] += 1
        elif node.get("Parent Relationship") == "SubPlan" and touched > MANY:
            notes[f"nested {node.get('Subplan Name')} {loops:,} x {rows:,}"] += 1
        if kind in ("Seq Scan", "CTE Scan") and touched > MANY and node.get("Parent Relationship") != "Inner":
            whole[node.get("Relation Name") or node.get("CTE Name")] += 1
        elif kind == "Seq Scan" and touched > MANY:
            whole[node["Relation Name"]] += 1
        if max(rows, guess) > MANY and (guess > 10 * max(rows, 1) or rows > 10 * max(guess, 1)):
            notes[f"estimate {kind} {guess:,} was {rows:,}"] += 1
        if node.get("Sort Space Type") == "Disk":
            notes[f"spill sort {node['Sort Space Used'] // 1024} MB"] += 1
        if node.get("Hash Batches", 1) > 1 and not node.get("Planned Partitions"):
            notes[f"spill hash {node['Hash Batches']} batches"] += 1
        if node.get("HashAgg Batches", 1) > 1 or node.get("Disk Usage", 0) > 0:
            notes[f"spill group {node.get('Disk Usage', 0) // 1024} MB"] += 1
    for name, times in whole.items():
        if times > 1:
            notes[f"repeated {name} {times} times"] += 1
    spilled = top.get("Temp Written Blocks", 0) * 8 // 1024
    print(
        f"{plan['Processor Time']:8.2f} s {plan['Execution Time'] / 1000:8.2f} s {top['Actual Rows']:>10,} rows {spilled:>6} MB"
        f"  {model['schema']}.{model['name']}"
    )
    for note, times in notes.items():
        print(f"{'':34}{note}" + (f" ({times} times)" if times > 1 else ""))


main()
