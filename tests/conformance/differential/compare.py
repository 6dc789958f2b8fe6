"""dbt-core and marts on the same project: relations, verdicts and artifacts, and where they differ.

Each side works on its own copy of the project at the same path and in a database of the same name, one after the other, so that
nothing differs but the program. Exit code 0: no difference; 1: differences; 2: the comparison itself failed.
"""
import argparse
import collections
import datetime
import os
import pathlib
import pickle
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import yaml

import artifacts
import relations
import server

DATABASE = "differential"
SHOWN = 6


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("projects", nargs="*", type=pathlib.Path, metavar="PROJECT")
    parser.add_argument("--fixtures", action="store_true", help="the projects beside this file, one a topic")
    parser.add_argument("--command", action="append", metavar="ARGS", help="a command for both, repeatable [build --full-refresh, build]")
    parser.add_argument("--ignore-columns", default="^dbt_scd_id$", metavar="REGEX", help="columns whose values are not compared")
    parser.add_argument("--before", default="", metavar="SQL", help="SQL that prepares either database")
    parser.add_argument("--ignore", action="append", default=[], metavar="REGEX", help="differences not told (`kind key detail`)")
    parser.add_argument("--up", type=int, default=0, metavar="N", help="copy the folder N levels above the project with it (`local: ../`)")
    parser.add_argument("--reuse", action="store_true", help="with --keep: take dbt's side from the last comparison, if it is there")
    parser.add_argument("--all", action="store_true", help=f"show every difference, not {SHOWN} of a kind")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="keep both sides' target and output here")
    options = parser.parse_args()
    if options.fixtures:
        options.projects += sorted(path.parent for path in pathlib.Path(__file__).parent.glob("projects/*/dbt_project.yml"))
    if not options.projects:
        parser.error("name projects, or take those of --fixtures")
    return options


def of_project(project):
    """What a fixture says of its own comparison: `before` and `after` (SQL), `commands`."""
    path = project / "differential.yml"
    return yaml.safe_load(path.read_text()) if path.exists() else {}


def write_profile(project, folder, port):
    """A profiles.yml for the project's own profile name; target `postgres`, schema `diff`."""
    text = (project / "dbt_project.yml").read_text()
    name = (yaml.safe_load(text) or {}).get("profile") or "default"
    target = {"type": "postgres", "host": "127.0.0.1", "port": port, "user": "postgres", "password": "x",
              "dbname": DATABASE, "schema": "diff", "threads": 4}
    folder.mkdir(parents=True)
    (folder / "profiles.yml").write_text(yaml.safe_dump({name: {"target": "postgres", "outputs": {"postgres": target}}}))


def run_side(name, program, project, options, port):
    """Runs every command with one program and returns what it left after each."""
    kept = options.keep / project.name / name if options.keep else None
    if kept and options.reuse and name == "dbt" and (kept / "steps").exists():
        return pickle.loads((kept / "steps").read_bytes())
    # The same path on both sides and in every comparison: it may reach the artifacts.
    work = pathlib.Path(tempfile.gettempdir()) / f"differential-{project.name}"
    shutil.rmtree(work, ignore_errors=True)
    top = project.parents[options.up - 1] if options.up else project
    copied = work / "tree" / project.relative_to(top)
    shutil.copytree(top, work / "tree", ignore=shutil.ignore_patterns("target", "logs", ".git", ".marts", ".user.yml"))
    write_profile(copied, work / "profiles", port)
    server.statement(port, "postgres", f"create database {DATABASE}")
    started = datetime.datetime.now(datetime.timezone.utc)
    own = of_project(project)
    for sql in filter(None, [options.before, own.get("before")]):
        server.statement(port, DATABASE, sql)
    steps = []
    env = dict(os.environ, DBT_PROFILES_DIR=str(work / "profiles"), DBT_SEND_ANONYMOUS_USAGE_STATS="false", PGTZ="UTC", TZ="UTC")
    for i, command in enumerate(options.command or own.get("commands") or ["build --full-refresh", "build"]):
        if i == 1 and (copied / "then").exists():
            # Files as they are from the second command on: other seeds, other columns.
            shutil.copytree(copied / "then", copied, dirs_exist_ok=True)
        done = subprocess.run([program, *shlex.split(command)], cwd=copied, env=env, capture_output=True, text=True)
        steps.append({
            "command": command,
            "code": done.returncode,
            "output": done.stdout + done.stderr,
            "artifacts": artifacts.read(copied / "target"),
            "relations": relations.snapshot(port, DATABASE, started, re.compile(options.ignore_columns)),
        })
        if kept:
            keep_step(kept / str(i), steps[-1], copied / "target")
    if kept:
        (kept / "steps").write_bytes(pickle.dumps(steps))
    if own.get("after"):
        server.statement(port, DATABASE, own["after"])
    server.statement(port, "postgres", f"drop database if exists {DATABASE}_{name}")
    server.statement(port, "postgres", f"alter database {DATABASE} rename to {DATABASE}_{name}")
    shutil.rmtree(work)
    return steps


def keep_step(folder, step, target):
    """Leaves the output and the target folder of one command behind."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "output.txt").write_text(step["output"])
    if target.exists():
        shutil.copytree(target, folder / "target")


def step_differences(dbt, marts):
    """Pairs of kind, node and detail for one command."""
    if dbt["code"] != marts["code"]:
        yield "exit code", dbt["command"], f"{dbt['code']} | {marts['code']}"
    for line in relations.differences(dbt["relations"], marts["relations"]):
        key, _, detail = line.partition(": ")
        yield "relation", key, detail
    yield from artifacts.verdict_differences(dbt["artifacts"], marts["artifacts"])
    yield from artifacts.manifest_differences(dbt["artifacts"], marts["artifacts"])


def expected():
    """Patterns of differences that are meant, each with its reason in the file."""
    lines = pathlib.Path(__file__).with_name("expected_differences.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def compare(project, options, port):
    """Prints one project's differences; returns how many there are."""
    sides = [run_side(name, os.environ[name.upper()], project, options, port) for name in ("dbt", "marts")]
    ignored = [re.compile(pattern) for pattern in [*options.ignore, *expected()]]
    total = 0
    for dbt, marts in zip(*sides):
        kinds = collections.defaultdict(list)
        for kind, key, detail in step_differences(dbt, marts):
            told = f"{kind} {key} {detail}"
            if not any(p.search(told) or p.search(f"{project.name}: {told}") for p in ignored):
                kinds[kind].append((key, detail))
        count = sum(map(len, kinds.values()))
        total += count
        tested = collections.Counter(v["status"] for v in artifacts.verdicts(dbt["artifacts"]).values())
        summary = ", ".join(f"{n} {status}" for status, n in sorted(tested.items()))
        print(f"{project.name}: {dbt['command']}: {len(dbt['relations'])} relations, {summary or 'no results'}: {count or 'no'} differences")
        show(kinds, options.all)
        if dbt["code"] != marts["code"]:
            for name, side in (("dbt", dbt), ("marts", marts)):
                print(f"  output of {name}, its end:", *side["output"].splitlines()[-12:], sep="\n    ")
    return total


def show(kinds, everything):
    for kind, found in sorted(kinds.items()):
        print(f"  {kind} ({len(found)})")
        for key, detail in found if everything else found[:SHOWN]:
            print(f"    {key}: {detail}" if detail else f"    {key}")
        if len(found) > SHOWN and not everything:
            print(f"    … and {len(found) - SHOWN} more")


def main():
    options = arguments()
    with server.private_server() as port:
        total = sum(compare(p.resolve(), options, port) for p in options.projects)
    sys.exit(1 if total else 0)


if __name__ == "__main__":
    main()
