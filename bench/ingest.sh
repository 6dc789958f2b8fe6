#!/usr/bin/env bash
# `marts ingest` beside `psql COPY | psql COPY` of the same table, in one run on one server.
#
#   bench/ingest.sh [rows] [rounds]        default: 1000000 3
#
# The pipe moves the rows and compares nothing; `marts ingest` also reads both sides again for their
# checksums. At the end a load is killed half-way, rows change in the source, and the next load goes on. MARTS names a binary to use instead of a release build. Needs an installed PostgreSQL;
# as root it runs the server as the user postgres.
set -euo pipefail

rows=${1:-1000000}
rounds=${2:-3}
cd "$(dirname "$0")/.."
if [ -z "${MARTS:-}" ]; then
    cargo build --release --quiet
    MARTS=$PWD/target/release/marts
fi
bin=${MARTS_PG_BIN:-$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)}
dir=$(mktemp -d /tmp/marts-bench-XXXXXX)
as() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
if [ "$(id -u)" = 0 ]; then chown postgres "$dir"; fi
trap 'as "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$dir"' EXIT

# The settings of the private server.
as "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C >/dev/null
as "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/log" -o "-k $dir -c listen_addresses='' \
    -c synchronous_commit=off -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=8GB \
    -c shared_buffers=1GB -c work_mem=64MB -c jit=off" start >/dev/null
export PGOPTIONS="-c client_min_messages=warning"
sql() { "$bin/psql" -h "$dir" -U postgres -qAtX -v ON_ERROR_STOP=1 "$@"; }
now() { date +%s.%N; }

sql -c "create database app" -c "create database warehouse"
sql -d app -c "create table orders (id bigint, customer uuid, status text, amount numeric(12,2), paid boolean, created_at timestamptz, note text);
    insert into orders select i, md5(i::text)::uuid, (array['open', 'paid', 'lost'])[i % 3 + 1], i / 100.0, i % 2 = 0,
        '2024-01-01'::timestamptz + i * interval '7 s', nullif(repeat('n', (i % 40)::int), '') from generate_series(1, $rows) i" -c "vacuum analyze orders"
columns=$(sql -d app -c "select string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' order by attnum)
    from pg_attribute where attrelid = 'orders'::regclass and attnum > 0")

mkdir "$dir/project"
cat >"$dir/project/project.yml" <<YML
name: bench
version: "1.0"
profile: bench
YML
cat >"$dir/project/ingest.yml" <<YML
source: {url: "postgres://postgres@/app?host=$dir"}
tables:
  - {name: orders}
YML
ingest() {
    /usr/bin/env time -f '%M' -o "$dir/memory" "$MARTS" ingest --quiet --project-dir "$dir/project" \
        --url "postgres://postgres@/warehouse?host=$dir&schema=raw"
}
took() { # seconds of a command
    local start
    start=$(now)
    "$@" >&2
    echo "$(now) - $start" | bc
}
pipe() { # format
    sql -d app -c "copy orders to stdout (format $1)" | sql -d warehouse -c "copy plain from stdin (format $1)"
}

printf '%-6s %10s %15s %13s %8s %8s %10s\n' round "ingest, s" "pipe binary, s" "pipe text, s" ratio "(text)" "memory, MB"
for round in $(seq "$rounds"); do
    sql -d warehouse -c "drop schema if exists raw cascade" -c checkpoint
    moved=$(took ingest)
    sql -d warehouse -c "drop table if exists plain; create table plain ($columns)" -c checkpoint
    binary=$(took pipe binary)
    sql -d warehouse -c "drop table if exists plain; create table plain ($columns)" -c checkpoint
    text=$(took pipe text)
    printf '%-6s %10.2f %15.2f %13.2f %8.2f %8.2f %10.0f\n' "$round" "$moved" "$binary" "$text" \
        "$(echo "$moved / $binary" | bc -l)" "$(echo "$moved / $text" | bc -l)" "$(($(tail -1 "$dir/memory") / 1024))"
    differ=$(sql -d warehouse -c "select count(*) from ((table raw.orders except all table plain) union all (table plain except all table raw.orders)) d")
    [ "$differ" = 0 ] || { echo "$differ rows differ" >&2; exit 1; }
done
echo "$rows rows in $(sql -d warehouse -c "select count(*) from raw.dq_reconciliation where slice is not null and is_current") slices, all compared"

# Killed half-way, changed in the source, resumed: what is loaded again, and whether it arrived.
printf 'source: {url: "postgres://postgres@/app?host=%s"}\ntables:\n  - {name: orders, slice_rows: %s}\n' \
    "$dir" $((rows / 20)) >"$dir/project/ingest.yml"
sql -d warehouse -c "drop schema if exists raw cascade"
target=(--project-dir "$dir/project" --url "postgres://postgres@/warehouse?host=$dir&schema=raw")
"$MARTS" ingest --quiet "${target[@]}" 2>/dev/null &
load=$!
until [ "$(sql -d warehouse -c "select count(*) >= 10 from raw.marts_ingest_slices" 2>/dev/null)" = t ]; do
    kill -0 "$load" 2>/dev/null || { echo "the load ended before it could be killed" >&2; exit 1; }
    sleep 0.01
done
kill -9 "$load"
wait "$load" 2>/dev/null || true
echo "killed with $(sql -d warehouse -c "select count(*) from raw.marts_ingest_slices") slices committed, raw.orders $(
    sql -d warehouse -c "select case when to_regclass('raw.orders') is null then 'not there' else 'there' end")"
sql -d app -c "update orders set amount = amount + 1 where id between 1 and 10" -c "delete from orders where id = 11" \
    -c "insert into orders select 0, customer, status, amount, paid, created_at, note from orders where id = 12"
# The server may still be rolling the last slice back, and holds the table for it.
until [ "$(sql -d warehouse -c "select count(*) from pg_locks where locktype = 'advisory'")" = 0 ]; do sleep 0.05; done
start=$(now)
"$MARTS" ingest "${target[@]}"
echo "resumed in $(echo "$(now) - $start" | bc) s"
sql -d warehouse -c "drop table if exists plain; create table plain ($columns)"
pipe binary
echo "rows that differ: $(sql -d warehouse -c "select count(*) from ((table raw.orders except all table plain) union all (table plain except all table raw.orders)) d")"
