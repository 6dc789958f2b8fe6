#!/usr/bin/env python3
"""Brings the pages that quote the demo to what its database says now; the prose around the figures stays, to be read again.

    marts demo && bench/refresh_docs.py [--project-dir DIR] [--check] [walkthrough] [coverage] [edge-cases] [metrics]

docs/walkthrough.md  each block of text, and the numbered sentences, are the answer of the query named before it
docs/coverage.md     the last column: a row of the first relation named before it that has all its columns; its leading columns are the key
docs/edge-cases.md   the second column: how often each case occurs, in the order of the query
docs/metrics.md      all from its first group on

Needs `cargo build --release` (MARTS_BENCH_BINARY names another binary). --check writes nothing, and fails where a page would change.
"""
import argparse
import json
import os
import re
import subprocess
import sys

from server import MARTS, ROOT

COLUMN = re.compile(r"(?:^|, )([a-z_0-9]+) = ")
TABLES = """
select jsonb_build_array(table_schema, table_name, jsonb_agg(column_name)) from information_schema.columns
where table_schema in ('bronze', 'staging', 'core', 'gold', 'quality', 'snapshots') group by table_schema, table_name
"""
troubles = []


def marts(*args):
    done = subprocess.run([MARTS, *args], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else sys.exit(f"marts {' '.join(args)}: {done.stderr}{done.stdout}")


def show(query, *more):
    return marts("show", "-q", "--no-use-colors", "--log-level", "none", "--select", query, "--limit", "-1", *more)


def answers(queries):
    """Of each query its rows as lists, by one psql; a query makes one column, `row`, a JSON array."""
    asked = [part for sql in queries for part in ("-c", f"select jsonb_agg(row) from ({sql}) as made (row)")]
    done = subprocess.run([MARTS, "db", "psql", "--", "-qXAt", *asked], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return [json.loads(line or "null") or [] for line in done.stdout.removesuffix("\n").split("\n")]


def walkthrough(page):
    made, named, skipping = [], None, False
    for line in page.split("\n"):
        found = re.findall(r"`(q\d\d_\w+)`", line)
        named = found[-1] if found else named
        if line == "```text":
            made += [line, *(row.rstrip() for row in show(named).rstrip("\n").split("\n"))]
            skipping = True
        elif re.match(r"\d+\. ", line) and not skipping:
            if line.startswith("1. "):
                answer = json.loads(show(named, "--output", "json"))
                made += [f"{number}. {row['sentence']}" for number, row in enumerate(answer, 1)]
        elif not skipping or line == "```":
            made.append(line)
            skipping = False
    return "\n".join(made)


def coverage(page):
    tables = {table: (f"{schema}.{table}", set(names)) for schema, table, names in answers([TABLES])[0]}
    lines, wanted = page.split("\n"), []
    for number, line in enumerate(lines):
        cells = line.split(" | ")
        if len(cells) == 4 and COLUMN.match(cells[3]):
            known = [tables[name] for name in re.findall(r"\[(\w+)\]", cells[1]) if name in tables]
            named = [name for name in COLUMN.findall(cells[3]) if any(name in has for _, has in known)]
            relation = next((relation for relation, has in known if named and has.issuperset(named)), None)
            if relation:
                wanted.append((number, relation, named, values_of(cells[3], named)))
            else:
                troubles.append(f"docs/coverage.md: {cells[0]}: no relation of the row has its columns")
    queries = [
        f"select jsonb_build_array({', '.join(f'{name}::text' for name in named)}) from {relation} "
        f"where {named[0]}::text = $q${values[0]}$q$"
        for _, relation, named, values in wanted
    ]
    for (number, relation, named, values), found in zip(wanted, answers(queries)):
        cells, key = lines[number].split(" | "), 1
        while len(found) > 1 and key < len(named):
            found = [row for row in found if row[key] == boolean(values[key])]
            key += 1
        if len(found) == 1:
            cells[3] = ", ".join(f"{name} = {value or ''}" for name, value in zip(named, found[0])) + " |"
            lines[number] = " | ".join(cells)
        else:
            troubles.append(f"docs/coverage.md: {cells[0]}: {len(found)} rows of {relation} by its first {key} columns")
    return "\n".join(lines)


def values_of(cell, named):
    return re.split("(?:^|, )(?:" + "|".join(named) + ") = ", cell.removesuffix(" |"))[1:]


def boolean(value):
    return {"t": "true", "f": "false"}.get(value, value)


def edge_cases(page):
    """The cases stand in the same order in the query and on the page."""
    counts, made = [int(row["occurrences"]) for row in json.loads(show("edge_cases", "--output", "json"))], []
    listed = [line for line in page.split("\n") if line.startswith("| ")][1:]
    if len(listed) != len(counts):
        sys.exit(f"docs/edge-cases.md lists {len(listed)} cases, the query counts {len(counts)}")
    for line in page.split("\n"):
        cells = line.split(" | ")
        if line in listed:
            count, what = counts.pop(0), cells[1].partition(" ")[2]
            cells[1] = f"{count:,} {what}".rstrip() if count else "none"
        made.append(" | ".join(cells))
    return "\n".join(made)


def metrics(page):
    lines = [row["text"] for row in json.loads(show("metrics_page", "--output", "json"))]
    first = next(line for line in lines if line.startswith("## "))
    return page.split(first)[0] + "\n".join(lines).strip("\n") + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project-dir", default=ROOT, help="the project whose demo was built")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("page", nargs="*", help="those pages only")
    args = parser.parse_args()
    os.environ["DBT_PROJECT_DIR"], changed = args.project_dir, 0
    for name, make in (("walkthrough", walkthrough), ("coverage", coverage), ("edge-cases", edge_cases), ("metrics", metrics)):
        if args.page and name not in args.page:
            continue
        path = os.path.join(ROOT, "docs", f"{name}.md")
        with open(path, encoding="utf-8") as file:
            page = file.read()
        made = make(page)
        changed += made != page
        print(f"docs/{name}.md {'changes: read its prose again' if made != page else 'is up to date'}")
        if made != page and not args.check:
            with open(path, "w", encoding="utf-8") as file:
                file.write(made)
    sys.stderr.writelines(f"{trouble}\n" for trouble in troubles)
    sys.exit(1 if troubles or args.check and changed else 0)


if __name__ == "__main__":
    main()
