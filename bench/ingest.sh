#!/usr/bin/env bash
# `marts ingest` beside `psql COPY | psql COPY` of the same table, in one run on one server.
#
#   bench/ingest.sh [rows] [rounds]        default: 1000000 3
#
# The pipe moves the rows and compares nothing; `marts ingest` also reads both sides again for their
# checksums. MARTS names a binary to use instead of a release build. Needs an installed PostgreSQL;
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
