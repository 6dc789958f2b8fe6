#!/usr/bin/env python3
"""What holds over many seeds of the reference project's data, on a PostgreSQL of its own.

    bench/seeds.py coverage [--seeds 100] [--customers 1000] [--first 1] [--alerts SEEDS]
        How often the marts' 95 % intervals hold what is true in a very large company (truth.population): survival by stratum
        and relative risks of churn; and how many planted incidents that stand out the alerts find, how soon, and how often
        they are loud without cause.
    bench/seeds.py backtests [--seeds 10] [--customers 1000] [--first 1] [--months 24]
        How often the intervals of mart_forecast_backtest and mart_recovery_backtest held what came, by method and months
        ahead, beside those of a normal distribution with the plain mean of the squares; and which method won how often.
    bench/seeds.py dirt [--seeds 10] [--customers 400] [--first 1]
        Builds each seed clean and with --dirt, all tests included, and compares the marts of money row by row.

Needs `cargo build --release` (MARTS_BENCH_BINARY names another binary).
"""
import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from server import MARTS, ROOT, Server  # noqa: E402

INTERVALS = """
select known.figure, known.segment, known.at_days, known.value, mart.survival_rate, mart.survival_low_rate, mart.survival_high_rate
from truth.population as known
cross join lateral (
    select * from gold.mart_survival as step
    where step.stratum || '/' || step.stratum_value = known.segment and step.t_days <= known.at_days
    order by step.t_days desc limit 1
) as mart
where known.figure = 'survival' and mart.survival_rate < 1 and mart.survival_rate > 0 and (
    select max(later.at_risk) from gold.mart_survival as later
    where later.stratum = mart.stratum and later.stratum_value = mart.stratum_value and later.t_days > known.at_days
) >= 20
union all
select known.figure, known.segment, known.at_days, known.value, mart.relative_risk, mart.relative_risk_low, mart.relative_risk_high
from truth.population as known
join gold.mart_failure_to_churn_risk as mart on mart.churn_kind = known.segment and mart.horizon_days = known.at_days
where known.figure = 'relative_risk' and mart.relative_risk is not null
"""
INCIDENTS = """
select incident.kind, min(alert.activity_date) - incident.starts_at::date
from truth.incidents as incident
left join gold.mart_alerts as alert
    on (alert.metric = incident.metric and alert.cut_value = incident.cut_value
        or alert.metric || '_by_plan' = incident.metric and incident.cut_value like '% / ' || alert.cut_value)
    and alert.activity_date between incident.starts_at::date and incident.ends_at::date + 4
group by incident.incident_id, incident.kind, incident.starts_at
"""
# Runs of alert days of one series; true where an incident of the same kind of count was near.
ALERTS = """
with day as (select distinct metric, cut_value, activity_date from gold.mart_alerts),
begun as (
    select *, lag(activity_date) over (partition by metric, cut_value order by activity_date) >= activity_date - 7 as goes_on from day
)
select exists (
    select 1 from truth.incidents as incident
    where replace(incident.metric, '_by_plan', '') = replace(begun.metric, '_by_plan', '')
    and begun.activity_date between incident.starts_at::date and incident.ends_at::date + 10
), count(*)
from begun where goes_on is not true group by 1
"""
# The marts of money; those of use may lack events that come late.
MONEY = ["mart_revenue_monthly", "mart_mrr_movements", "mart_mrr_drivers", "mart_retention", "mart_payment_reliability",
         "mart_payment_reliability_plan_monthly", "mart_failure_reason_monthly", "mart_payments_funnel", "mart_cohort_retention",
         "mart_survival", "mart_recovery_curve", "mart_promo_code", "mart_failure_to_churn_risk", "mart_recovery_forecast"]

# Each backtested forecast, also with the interval that takes known errors as they are: in dollars, normal, all independent.
FORECASTS = """
select back.method, back.horizon_months, back.actual_usd between back.low_80_usd and back.high_80_usd,
    back.actual_usd between back.low_95_usd and back.high_95_usd,
    abs(back.error_usd) <= 1.281552 * plain.spread, abs(back.error_usd) <= 1.959964 * plain.spread,
    (back.high_80_usd - back.low_80_usd) / back.origin_usd
from gold.mart_forecast_backtest as back
cross join lateral (
    select sqrt(avg(earlier.error_usd ^ 2)) as spread from gold.mart_forecast_backtest as earlier
    where earlier.method = back.method and earlier.horizon_months = back.horizon_months
    and earlier.target_month <= back.origin_month
) as plain
where back.low_80_usd is not null
"""
BEST = "select horizon_months, method from gold.mart_forecast_accuracy where is_best"
RECOVERY = "select recovered_usd < expected_low_usd, recovered_usd > expected_high_usd from gold.mart_recovery_backtest"


class Project:
    def __init__(self, server, database):
        server.tool("createdb", "-h", server.folder, "-U", server.user, database)
        self.server, self.database = server, database
        self.url = f"postgres://{server.user}@/{database}?host={server.folder}"
        self.target = tempfile.mkdtemp(dir=server.folder)

    def marts(self, *args):
        command = [MARTS, "--project-dir", ROOT, "--log-level", "none", "--quiet", "--url", self.url, "--target-path", self.target, *args]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def rows(self, sql):
        command = [os.path.join(self.server.bin, "psql"), "-h", self.server.folder, "-U", self.server.user, "-qX", "--csv", "-t", "-c", sql, self.database]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return list(csv.reader(out.splitlines()))

    def drop(self):
        self.server.tool("dropdb", "-h", self.server.folder, "-U", self.server.user, self.database)


def coverage(server, args):
    held, asked, errors = {}, {}, {}
    found, delays, planted, true, false, days = {}, {}, {}, 0, 0, 0
    begun, done = time.time(), 0
    for seed in range(args.first, args.first + args.seeds):
        if time.time() - begun > 60 * args.minutes:
            break
        project = Project(server, f"seed_{seed}")
        started, done = time.time(), done + 1
        marts = ["+mart_survival", "+mart_failure_to_churn_risk"]
        with_alerts = seed - args.first < args.alerts
        for command in (["generate", "--customers", str(args.customers), "--seed", str(seed)], ["seed"],
                        ["run", "--select", *marts, *(["+mart_alerts"] if with_alerts else [])]):
            code, said = project.marts(*command)
            if code:
                sys.exit(f"seed {seed}: marts {command[0]}: {said}")
        for figure, segment, at, truth, estimate, low, high in project.rows(INTERVALS):
            key = f"{figure} {segment.split('/')[0]}" + (f" {at} d" if figure == "relative_risk" else "")
            asked[key] = asked.get(key, 0) + 1
            held[key] = held.get(key, 0) + (float(low) <= float(truth) <= float(high))
            errors.setdefault((figure, segment, at), []).append((float(truth), float(estimate)))
        for kind, delay in project.rows(INCIDENTS) if with_alerts else []:
            planted[kind] = planted.get(kind, 0) + 1
            if delay:
                found[kind] = found.get(kind, 0) + 1
                delays.setdefault(kind, []).append(int(delay))
        for is_true, count in project.rows(ALERTS) if with_alerts else []:
            true, false = (true + int(count), false) if is_true == "t" else (true, false + int(count))
        if with_alerts:
            days += int(project.rows("select count(*) from core.int_daily_series")[0][0])
        project.drop()
        print(f"seed {seed}: {time.time() - started:.0f} s", file=sys.stderr, flush=True)
    print(f"{done} seeds, {args.customers} customers each\n\n| interval of 95 % | asked | holds the truth |\n|---|---|---|")
    for key in sorted(asked):
        print(f"| {key} | {asked[key]} | {100 * held[key] / asked[key]:.1f} % |")
    print(f"| all | {sum(asked.values())} | {100 * sum(held.values()) / sum(asked.values()):.1f} % |")
    print("\n| relative risk | true | mean of estimates |\n|---|---|---|")
    for (figure, segment, at), pairs in sorted(errors.items()):
        if figure == "relative_risk":
            print(f"| {segment}, {at} d | {pairs[0][0]:.2f} | {sum(e for _, e in pairs) / len(pairs):.2f} |")
    print("\n| incident | planted | found | median delay, days |\n|---|---|---|---|")
    for kind in sorted(planted):
        late = sorted(delays.get(kind, []))
        print(f"| {kind} | {planted[kind]} | {found.get(kind, 0)} | {late[len(late) // 2] if late else '-'} |")
    print(f"\nAlerts begun: {true} near an incident, {false} not; {true / max(true + false, 1):.0%} precise; "
          f"{1000 * false / max(days, 1):.2f} false ones per 1,000 days of a series.")


def backtests(server, args):
    held, best, recovery = {}, {}, []
    for seed in range(args.first, args.first + args.seeds):
        project, started = Project(server, f"seed_{seed}"), time.time()
        history = ["generate", "--customers", str(args.customers), "--seed", str(seed), "--months", str(args.months)]
        for command in (history, ["seed"], ["run", "--select", "+mart_forecast_accuracy", "+mart_recovery_backtest"]):
            code, said = project.marts(*command)
            if code:
                sys.exit(f"seed {seed}: marts {command[0]}: {said}")
        backtested(project, held, best, recovery)
        project.drop()
        print(f"seed {seed}: {time.time() - started:.0f} s", file=sys.stderr, flush=True)
    print(f"{args.seeds} seeds from {args.first} on, {args.customers} customers, {args.months} months\n")
    print("| method | months ahead | intervals | 80 % holds | 95 % holds | width of 80 %, of MRR | plain 80 % | plain 95 % | best |")
    print("|---|---|---|---|---|---|---|---|---|")
    for (method, ahead), rows in sorted(held.items()):
        n = len(rows)
        share = [f"{sum(row[i] == 't' for row in rows) / n:.1%}" for i in range(4)]
        width = f"{sorted(float(row[4]) for row in rows)[n // 2]:.1%}"
        print(f"| {method} | {ahead} | {n} | {share[0]} | {share[1]} | {width} | {share[2]} | {share[3]} | {best.get((method, ahead), 0)} |")
    low, high = (sum(row[i] == "t" for row in recovery) for i in range(2))
    n = max(len(recovery), 1)
    print(f"\nExpected recovery: {1 - (low + high) / n:.1%} of {len(recovery)} months within the interval of 80 %, {low} below, {high} above.")


def backtested(project, held, best, recovery):
    for method, ahead, *row in project.rows(FORECASTS):
        held.setdefault((method, int(ahead)), []).append(row)
    for ahead, method in project.rows(BEST):
        best[(method, int(ahead))] = best.get((method, int(ahead)), 0) + 1
    recovery.extend(project.rows(RECOVERY))


def dirt(server, args):
    print("| seed | defects | rejected | tests | marts of money that differ |\n|---|---|---|---|---|")
    bad = 0
    for seed in range(args.first, args.first + args.seeds):
        clean, dirty = Project(server, f"clean_{seed}"), Project(server, f"dirty_{seed}")
        history = ["generate", "--customers", str(args.customers), "--seed", str(seed)]
        verdict = "green"
        for project, more in ((clean, []), (dirty, ["--dirt"])):
            for command in (history + more, ["build"]):
                code, said = project.marts(*command)
                if code and verdict == "green":
                    verdict = f"RED ({project.database}): " + " ".join(said.split())[:600]
        if verdict != "green":
            sys.exit(f"seed {seed}: {verdict}")
        differ = []
        for mart in MONEY:
            digest = f"select count(*), sum(hash_record_extended(t, 0)::numeric) from gold.{mart} as t"
            if clean.rows(digest) != dirty.rows(digest):
                differ.append(mart)
        defects = dirty.rows("select count(*) from truth.injected_defects")[0][0]
        rejected = dirty.rows("select count(*) from staging.dq_rejects")[0][0]
        bad += bool(differ)
        print(f"| {seed} | {defects} | {rejected} | {verdict} | {', '.join(differ) or 'none'} |", flush=True)
        clean.drop()
        dirty.drop()
    sys.exit(1 if bad else 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["coverage", "backtests", "dirt"])
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--customers", type=int)
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10**6, help="begin no further seed after so long")
    parser.add_argument("--alerts", type=int, default=10**6)
    args = parser.parse_args()
    args.seeds = args.seeds or {"coverage": 100, "backtests": 10, "dirt": 10}[args.what]
    args.customers = args.customers or {"coverage": 1000, "backtests": 1000, "dirt": 400}[args.what]
    with tempfile.TemporaryDirectory(prefix="marts-bench-") as folder:
        os.chmod(folder, 0o755)
        server = Server(folder)
        try:
            {"coverage": coverage, "backtests": backtests, "dirt": dirt}[args.what](server, args)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
