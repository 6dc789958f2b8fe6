"""What a database holds: relations, columns, types, comments, indexes and rows, in a form that two databases share.

A timestamp that lies within the run reads `<during the run>`, so that what `now()` wrote is equal on both sides.
"""
import hashlib

import psycopg2
from psycopg2 import sql

RELATIONS = """
select n.nspname, c.relname, c.relkind::text, c.oid::int8, coalesce(obj_description(c.oid, 'pg_class'), ''), c.relpersistence::text
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> all (%s)
order by 1, 2"""
COLUMNS = """
select a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, coalesce(col_description(a.attrelid, a.attnum), '')
from pg_attribute a where a.attrelid = %s and a.attnum > 0 and not a.attisdropped order by a.attnum"""
INDEXES = "select pg_get_indexdef(indexrelid), indrelid::regclass::text from pg_index where indrelid = %s"
KINDS = {"r": "table", "p": "partitioned table", "v": "view", "m": "materialized view", "f": "foreign table"}
NOT_THE_PROJECTS = ["information_schema", "marts_ledger"]


def snapshot(port, database, started, ignored):
    """All relations by `schema.name`; `ignored` matches columns whose values are not compared."""
    connection = psycopg2.connect(host="127.0.0.1", port=port, user="postgres", dbname=database)
    try:
        with connection.cursor() as cursor:
            cursor.execute("set timezone to 'UTC'")
            cursor.execute(RELATIONS, [NOT_THE_PROJECTS])
            found = cursor.fetchall()
            return {f"{row[0]}.{row[1]}": _relation(cursor, row, started, ignored) for row in found}
    finally:
        connection.rollback()
        connection.close()


def _relation(cursor, row, started, ignored):
    schema, name, kind, oid, comment, persistence = row
    cursor.execute(COLUMNS, [oid])
    columns = cursor.fetchall()
    cursor.execute(INDEXES, [oid])
    # An index is what it covers; its name is each program's own.
    indexes = sorted(d.split(" ON ", 1)[0].split(" INDEX ")[0] + " " + d.split(" USING ", 1)[1] for d, _ in cursor.fetchall())
    names = [c[0] for c in columns]
    return {
        "kind": KINDS[kind],
        "persistence": persistence,
        "comment": comment,
        "columns": [(c[0], c[1], "not null" if c[2] else "null", c[3]) for c in columns],
        "indexes": indexes,
        "names": names,
        "rows": _rows(cursor, (schema, name), columns, started, ignored),
    }


def _rows(cursor, relation, columns, started, ignored):
    """Every row as a tuple of texts, sorted; or the error that reading it gives."""
    values = [_value(name, kind, started, ignored) for name, kind, *_ in columns]
    query = sql.SQL("select {} from {}").format(sql.SQL(", ").join(values) or sql.SQL("1"), sql.Identifier(*relation))
    cursor.execute("savepoint reading")
    try:
        cursor.execute(query)
        return sorted(cursor.fetchall(), key=lambda r: tuple((v is None, v or "") for v in r))
    except psycopg2.Error as error:
        cursor.execute("rollback to savepoint reading")
        return [(f"unreadable: {str(error).splitlines()[0]}",)]


def _value(name, kind, started, ignored):
    column = sql.Identifier(name)
    if ignored.search(name):
        return sql.SQL("case when {} is null then null else '<ignored>' end").format(column)
    if kind.startswith("timestamp"):
        # Without a zone the value may be UTC's or the session's; the server's zone is UTC in both.
        form = "case when {0} between {1}::timestamptz and now() + interval '1 minute' then '<during the run>' else {0}::text end"
        return sql.SQL(form).format(column, sql.Literal(started.isoformat()))
    return sql.SQL("{}::text").format(column)


def differences(dbt, marts):
    """Lines that say where two snapshots differ, dbt's side first."""
    for name in sorted(dbt.keys() | marts.keys()):
        a, b = dbt.get(name), marts.get(name)
        if a is None or b is None:
            yield f"{name}: only {'marts' if a is None else 'dbt'} has it ({(a or b)['kind']})"
            continue
        for field in ("kind", "persistence", "comment", "indexes"):
            if a[field] != b[field]:
                yield f"{name}: {field}: {a[field]!r} | {b[field]!r}"
        if a["columns"] != b["columns"]:
            yield from _columns(name, a["columns"], b["columns"])
        if a["names"] == b["names"] and a["rows"] != b["rows"]:
            yield from _row_differences(name, a, b)


def _columns(name, a, b):
    by_name_a, by_name_b = {c[0]: c[1:] for c in a}, {c[0]: c[1:] for c in b}
    for column in [*by_name_a, *(c for c in by_name_b if c not in by_name_a)]:
        if by_name_a.get(column) != by_name_b.get(column):
            yield f"{name}.{column}: {by_name_a.get(column)} | {by_name_b.get(column)}"
    if [c[0] for c in a] != [c[0] for c in b]:
        yield f"{name}: order of columns: {[c[0] for c in a]} | {[c[0] for c in b]}"


def _row_differences(name, a, b):
    if len(a["rows"]) != len(b["rows"]):
        yield f"{name}: {len(a['rows'])} rows | {len(b['rows'])} rows"
        return
    for i, column in enumerate(a["names"]):
        left, right = (sorted(str(r[i]) if len(r) > i else r[0] for r in side["rows"]) for side in (a, b))
        if left != right:
            first = next((x, y) for x, y in zip(left, right) if x != y)
            yield f"{name}.{column}: values differ, first {first[0][:200]!r} | {first[1][:200]!r}"
            return
    digest = [hashlib.sha256(repr(side["rows"]).encode()).hexdigest()[:8] for side in (a, b)]
    yield f"{name}: the same values in other rows ({digest[0]} | {digest[1]})"
