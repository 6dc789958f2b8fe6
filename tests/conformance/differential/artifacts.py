"""What the artifacts say: verdicts of run_results.json and nodes of manifest.json, field by field."""
import json
import pathlib

# Ours and dbt's by nature: times, places on disk, how a file is found again, dbt's own built-in macros.
NOT_COMPARED = {"created_at", "build_path", "compiled_path", "extra_ctes", "extra_ctes_injected", "root_path", "macros",
                "compiled", "_event_status", "config_call_dict", "unrendered_config_call_dict", "macro_sql", "defer_relation"}
SECTIONS = ["nodes", "sources", "exposures", "metrics", "semantic_models", "saved_queries", "unit_tests", "groups", "disabled", "docs",
            "functions", "macros", "selectors", "parent_map", "child_map", "group_map"]
# Lists whose order says nothing.
UNORDERED = {"nodes", "refs", "sources", "tags"}


def read(target):
    """The artifacts of one invocation; what is missing reads as an empty object."""
    def load(name):
        path = pathlib.Path(target) / name
        return json.loads(path.read_text()) if path.exists() else {}

    return {"manifest": load("manifest.json"), "results": load("run_results.json"), "sources": load("sources.json")}


def verdicts(artifacts):
    """Status, failures and compiled text of each node that ran."""
    found = {}
    for result in artifacts["results"].get("results", []):
        found[result["unique_id"]] = {
            "status": result["status"],
            "failures": result.get("failures"),
            "message": result.get("message") if result["status"] in ("fail", "warn") else None,
            # Blanks and a semicolon at the end of a query say nothing, and the texts of built-in macros are marts' own.
            "compiled_code": "".join((result.get("compiled_code") or "").split()).removesuffix(";"),
            "relation_name": result.get("relation_name"),
        }
    return found


def verdict_differences(dbt, marts):
    """Lines `unique id: field: dbt | marts`."""
    a, b = verdicts(dbt), verdicts(marts)
    yield from _differences(a, b, "result")


def manifest_differences(dbt, marts):
    """Lines for every node and field that differ."""
    for section in SECTIONS:
        a, b = (_section(side["manifest"], section) for side in (dbt, marts))
        yield from _differences(a, b, section)


def _section(manifest, section):
    found = manifest.get(section) or {}
    if section in ("nodes", "disabled") and "selectors" not in found:
        # Operations are compared through what they do: their names carry the position only.
        found = {k: v for k, v in found.items() if not k.startswith("sql_operation.")}
    if section == "macros":
        found = {k: v for k, v in found.items() if not k.startswith(("macro.dbt.", "macro.dbt_postgres."))}
    if section == "docs":
        found = {k: v for k, v in found.items() if not k.startswith("doc.dbt.")}
    if section in ("parent_map", "child_map", "group_map"):
        found = {k: sorted(v) for k, v in found.items()}
    return {k: v if isinstance(v, dict) else {"value": v} for k, v in found.items()}


def _differences(a, b, section):
    for key in sorted(a.keys() | b.keys()):
        if key not in a or key not in b:
            yield f"{section}: only {'marts' if key not in a else 'dbt'} has it", key, ""
            continue
        for path, left, right in _fields(a[key], b[key], ""):
            yield f"{section}: {path}", key, f"{_short(left)} | {_short(right)}"


MISSING = "<missing>"


def _fields(a, b, path):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            if key in NOT_COMPARED:
                continue
            inner = f"{path}.{key}" if path else key
            yield from _fields(a.get(key, MISSING), b.get(key, MISSING), inner)
    elif a != b and not (path.split(".")[-1] in UNORDERED and _sorted(a) == _sorted(b)):
        yield path, a, b


def _sorted(value):
    return sorted(map(repr, value)) if isinstance(value, list) else value


def _short(value):
    text = json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= 200 else f"{text[:200]}…"
