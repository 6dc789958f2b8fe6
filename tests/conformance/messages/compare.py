"""dbt-core's and marts' messages for the commonest mistakes of dbt projects, side by side as Markdown on stdout.

`DBT=path/to/dbt MARTS=path/to/marts python compare.py`. No case needs a database: all are mistakes of the project's files.
A case is a name, a command and files that are laid over a small project that is right.
"""
import concurrent.futures
import os
import pathlib
import re
import shlex
import subprocess
import tempfile

PROFILES = "shop:\n  target: dev\n  outputs:\n    dev: {type: postgres, host: 127.0.0.1, port: 1, user: u, password: p, dbname: d, schema: s, threads: 1}\n"
BASE = {
    "dbt_project.yml": "name: shop\nversion: '1.0.0'\nprofile: shop\n",
    "profiles.yml": PROFILES,
    "models/customers.sql": "select 1 as id, 'a' as name\n",
    "models/orders.sql": "select id\nfrom {{ ref('customers') }}\n",
}
YML = "models/schema.yml"
ORDERS = "models/orders.sql"
CASES = [
    ("A model that does not exist", "parse", {ORDERS: "select id\nfrom {{ ref('custmers') }}\n"}),
    ("A source that is not declared", "parse", {ORDERS: "select id\nfrom {{ source('raw', 'oders') }}\n", YML: "sources: [{name: raw, tables: [{name: orders}]}]\n"}),
    ("A macro that does not exist", "parse", {ORDERS: "select {{ cents_to_dolars('id') }}\nfrom {{ ref('customers') }}\n", "macros/m.sql": "{% macro cents_to_dollars(c) %}{{ c }} / 100{% endmacro %}\n"}),
    ("An unclosed if", "parse", {ORDERS: "select id\n{% if true %}\nfrom {{ ref('customers') }}\n"}),
    ("A brace is missing", "parse", {ORDERS: "select id\nfrom {{ ref('customers') }\n"}),
    ("Wrong indentation in YAML", "parse", {YML: "models:\n  - name: orders\n   columns:\n      - name: id\n"}),
    ("A tab in YAML", "parse", {YML: "models:\n\t- name: orders\n"}),
    ("Two models of one name", "parse", {"models/other/orders.sql": "select 2 as id\n"}),
    ("A cycle", "parse", {"models/customers.sql": "select id from {{ ref('orders') }}\n"}),
    ("A profile that does not exist", "parse", {"dbt_project.yml": "name: shop\nversion: '1.0.0'\nprofile: shp\n"}),
    ("A target that does not exist", "parse --target prd", {}),
    ("An environment variable that is not set", "parse", {"profiles.yml": PROFILES.replace("host: 127.0.0.1", "host: \"{{ env_var('SHOP_DB_HOST') }}\"")}),
    ("A var that is not set", "parse", {ORDERS: "select id from {{ ref('customers') }} where day > '{{ var('start_dat') }}'\n"}),
    ("A generic test that does not exist", "parse", {YML: "models: [{name: orders, columns: [{name: id, data_tests: [uniqe]}]}]\n"}),
    ("A materialization that does not exist", "parse", {ORDERS: "{{ config(materialized='tabel') }}\nselect id from {{ ref('customers') }}\n"}),
    ("YAML for a model that does not exist", "parse", {YML: "models:\n  - name: ordrs\n    description: All orders\n"}),
    ("A misspelt property", "parse", {YML: "models:\n  - name: orders\n    colums:\n      - name: id\n"}),
    ("A reference to a disabled model", "parse", {"models/customers.sql": "{{ config(enabled=false) }}\nselect 1 as id\n"}),
    ("A package that is not installed", "parse", {"packages.yml": "packages:\n  - package: dbt-labs/dbt_utils\n    version: 1.3.0\n"}),
    ("A wrong number of arguments", "parse", {ORDERS: "select {{ cents('id') }}\nfrom {{ ref('customers') }}\n", "macros/m.sql": "{% macro cents(c) %}{{ c }} / 100{% endmacro %}\n", "models/third.sql": "select {{ cents('id', 2, 3) }}\n"}),
    ("A selection that matches nothing", "ls --select orderz", {}),
    ("No project here", "parse", {"dbt_project.yml": None}),
]
TIME = re.compile(r"^\d\d:\d\d:\d\d\s*", re.M)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
BANNERS = re.compile(r"^(Running with dbt=|Registered adapter|Unable to do partial parsing|\[WARNING\]\[Deprecat|Performance info|Found \d|Summary of enc).*\n?", re.M)


def told(program, command, files):
    """What a program prints for a project, and its exit code."""
    with tempfile.TemporaryDirectory(prefix="messages.") as folder:
        folder = pathlib.Path(folder)
        for name, text in {**BASE, **files}.items():
            if text is not None:
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        env = dict(os.environ, DBT_PROFILES_DIR=str(folder), DBT_SEND_ANONYMOUS_USAGE_STATS="false", NO_COLOR="1", DBT_VERSION_CHECK="false")
        done = subprocess.run([program, *shlex.split(command)], cwd=folder, env=env, capture_output=True, text=True)
        text = TIME.sub("", COLOUR.sub("", done.stdout + done.stderr)).replace(str(folder), "…")
        return BANNERS.sub("", text).strip() or "(nothing)", done.returncode


def main():
    print("# Messages for the commonest mistakes\n")
    print("Made by `tests/conformance/messages/compare.py`: dbt-core first, marts second, each with its exit code.")
    programs = [("dbt-core", os.environ["DBT"]), ("marts", os.environ["MARTS"])]
    jobs = [(path, command, files) for _, command, files in CASES for _, path in programs]
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("WORKERS", "3"))) as pool:
        results = iter(list(pool.map(lambda job: told(*job), jobs)))
    for number, (name, command, _) in enumerate(CASES, 1):
        print(f"\n## {number}. {name}")
        for label, _ in programs:
            text, code = next(results)
            print(f"\n{label} `{command}`, exit code {code}:\n```text\n{text}\n```")


if __name__ == "__main__":
    main()
