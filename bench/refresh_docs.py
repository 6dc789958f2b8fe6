#!/usr/bin/env python3
"""Brings the pages that quote the demo to what its database says now; the prose around the figures stays, to be read again.

    marts demo && bench/refresh_docs.py [--project-dir DIR] [--check]

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
troubles = []


def marts(*args):
    done = subprocess.run([MARTS, *args, "--project-dir", PROJECT], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else sys.exit(f"marts {' '.join(args)}: {done.stderr}{done.stdout}")


def show(query, *more):
    return marts("show", "-q", "--no-use-colors", "--log-level", "none", "--select", query, "--limit", "-1", *more)


def rows(sql):
    """Each row as a list of the texts that Postgres gives its columns."""
    asked = f"select json_agg(t) from ({sql}) as t"
    done = subprocess.run([MARTS, "db", "psql", "--project-dir", PROJECT, "--", "-qXAt", "-c", asked], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{sql}: {done.stderr}")
    return [list(row.values()) for row in json.loads(done.stdout.strip() or "null") or []]


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
    columns, made = {}, []
    for schema, table, names in rows(
        "select table_schema, table_name, json_agg(column_name) from information_schema.columns "
        "where table_schema in ('bronze', 'staging', 'core', 'gold', 'quality', 'snapshots') group by 1, 2"
    ):
        columns[table] = (schema, set(names))
    for line in page.split("\n"):
        cells = line.split(" | ")
        quoted = COLUMN.split(cells[-1].removesuffix(" |")) if len(cells) == 4 else []
        if len(quoted) > 1:
            named, known = quoted[1::2], [name for name in re.findall(r"\[(\w+)\]", cells[1]) if name in columns]
            named = [name for name in named if any(name in columns[table][1] for table in known)]
            cells[-1] = a_row(cells, named, [columns[table] + (table,) for table in known]) or cells[-1]
        made.append(" | ".join(cells))
    return "\n".join(made)


def a_row(cells, named, relations):
    """The cell of a row of coverage.md again, or nothing where its leading columns name no row, or more than one."""
    text = cells[-1].removesuffix(" |")
    relation = next((f"{schema}.{table}" for schema, has, table in relations if has.issuperset(named)), None)
    values = re.split("(?:^|, )(?:" + "|".join(named) + ") = ", text)[1:]
    if not (relation and values):
        return troubles.append(f"docs/coverage.md: {cells[0].strip('| ')}: its columns are not those of one of its relations")
    columns = ", ".join(f"coalesce({name}::text, '') as {name}" for name in named)
    found, key = rows(f"select {columns} from {relation} where {named[0]}::text = $q${values[0]}$q$"), 1
    while len(found) > 1 and key < len(named):
        found = [row for row in found if row[key] == boolean(values[key])]
        key += 1
    if len(found) != 1:
        return troubles.append(f"docs/coverage.md: {cells[0].strip('| ')}: {len(found)} rows of {relation} by its first {key} columns")
    return ", ".join(f"{name} = {value}" for name, value in zip(named, found[0])) + " |"


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
    global PROJECT
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project-dir", default=ROOT, help="the project whose demo was built")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    PROJECT, changed = args.project_dir, 0
    for name, make in (("walkthrough", walkthrough), ("coverage", coverage), ("edge-cases", edge_cases), ("metrics", metrics)):
        path = os.path.join(ROOT, "docs", f"{name}.md")
        with open(path, encoding="utf-8") as file:
            page = file.read()
        made = make(page)
        changed += made != page
        print(f"docs/{name}.md {'changes: read its prose again' if made != page else 'is up to date'}")
        if made != page and not args.check:
            with open(path, "w", encoding="utf-8") as file:
                file.write(made)
    print("\n".join(troubles), file=sys.stderr)
    sys.exit(1 if troubles or args.check and changed else 0)


if __name__ == "__main__":
    main()
