"""A dbt project of many models for benchmarks: layers of views and some tables over one seed, two tests each."""
import os
import random

LAYERS = 10
SEED_ROWS = 100
TABLE_EVERY = 20


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as out:
        out.write(text)


def query(at, parents):
    """Of the seed in the first layer, else a join of its parents."""
    if not parents:
        return f"select id, grp, amount + {at} as amount, ts\nfrom {{{{ ref('base') }}}}\n"
    ctes = ",\n".join(f"p{n} as (\n    select * from {{{{ ref('{parent}') }}}}\n)" for n, parent in enumerate(parents))
    total = " + ".join(f"p{n}.amount" for n in range(len(parents)))
    joins = "".join(f"join p{n} on p{n}.id = p0.id\n" for n in range(1, len(parents)))
    return f"with {ctes}\nselect p0.id, p0.grp, ({total}) % 100003 as amount, p0.ts\nfrom p0\n{joins}"


def make(folder, count, connection):
    """Writes `count` models into `folder`; `connection` is the target of profiles.yml as text.

    A model reads one model of the layer before, and one or two tables or first-layer models, so that views never
    stack into more scans than Postgres can plan. Every 20th model is a table.
    """
    rng = random.Random(count)
    write(f"{folder}/dbt_project.yml", "name: dag\nversion: '1.0'\nprofile: dag\nmodels:\n  dag:\n    +materialized: view\n")
    write(f"{folder}/profiles.yml", f"dag:\n  target: dev\n  outputs:\n    dev: {connection}\n")
    rows = [f"{n},g{n % 7},{n * 7919 % 1000},2026-01-{n % 28 + 1:02}" for n in range(SEED_ROWS)]
    write(f"{folder}/seeds/base.csv", "\n".join(["id,grp,amount,ts", *rows, ""]))
    per_layer, before, cheap = -(-count // LAYERS), [], []
    for first in range(0, count, per_layer):
        layer, tables = first // per_layer, []
        names = [f"m_{layer:02}_{at:05}" for at in range(min(per_layer, count - first))]
        for at, name in enumerate(names):
            parents = [rng.choice(before)] if before else []
            others = [one for one in rng.sample(cheap, min(2, len(cheap))) if one not in parents]
            parents += others[: rng.choice([1, 2])] if parents else []
            head = ""
            if (first + at + 1) % TABLE_EVERY == 0:
                head, _ = "{{ config(materialized='table') }}\n", tables.append(name)
            write(f"{folder}/models/l{layer:02}/{name}.sql", head + query(at, parents))
        tests = [f"  - name: {name}\n    columns:\n      - name: id\n        data_tests: [not_null, unique]\n" for name in names]
        write(f"{folder}/models/l{layer:02}/schema.yml", "".join(["models:\n", *tests]))
        cheap += names if layer == 0 else tables
        before = names
