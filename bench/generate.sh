#!/usr/bin/env bash
# `marts generate` beside plain COPY of the same rows from files, in one run on one server.
#
#   bench/generate.sh [size] [rounds] [months]        default: full 3 24
#
# Both write the same tables, new and empty in the same transaction, on one connection per table
# at once. Plain COPY reads binary and text files that the server itself wrote; keys and statistics,
# which `generate` also makes, are left out of its time. MARTS names a binary to use instead of a
# release build. Needs an installed PostgreSQL; as root it runs the server as the user postgres.
set -euo pipefail

size=${1:-full}
rounds=${2:-3}
months=${3:-24}
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
    -c shared_buffers=2GB -c work_mem=64MB -c jit=off" start >/dev/null
export PGOPTIONS="-c client_min_messages=warning"
sql() { "$bin/psql" -h "$dir" -U postgres -qAtX -v ON_ERROR_STOP=1 "$@"; }
url="postgres://postgres@/postgres?host=$dir"
now() { date +%s.%N; }

plain() { # format: seconds to COPY every file at once
    sql -c "drop schema if exists plain cascade" -c "create schema plain"
    local start end pids=()
    start=$(now)
    for table in $tables; do
        sql -c "begin; create table plain.$table (like raw.$table); \
                copy plain.$table from '$dir/$table.$1' (format $1, freeze); commit" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
    end=$(now)
    echo "$end - $start" | bc
}

printf '%-6s %12s %14s %14s %8s %8s %10s %12s\n' round "generate, s" "COPY binary, s" "COPY text, s" ratio "(text)" "memory, MB" "processor, s"
for round in $(seq "$rounds"); do
    sql -c "drop schema if exists raw cascade; drop schema if exists plain cascade; checkpoint"
    start=$(now)
    /usr/bin/env time -f '%M %U %S' -o "$dir/used" \
        "$MARTS" generate --size "$size" --months "$months" --url "$url" --quiet
    took=$(echo "$(now) - $start" | bc)
    tables=$(sql -c "select relname from pg_class where relnamespace = 'raw'::regnamespace and relkind = 'r' and relname <> 'marts_generated'")
    if [ "$round" = 1 ]; then
        for table in $tables; do
            sql -c "copy raw.$table to '$dir/$table.binary' (format binary)" -c "copy raw.$table to '$dir/$table.text'"
        done
        rows=0
        for table in $tables; do rows=$((rows + $(sql -c "select count(*) from raw.$table"))); done
    fi
    sql -c checkpoint
    binary=$(plain binary)
    sql -c checkpoint
    text=$(plain text)
    read -r kilobytes user system < <(tail -1 "$dir/used")
    printf '%-6s %12.2f %14.2f %14.2f %8.2f %8.2f %10.0f %12.2f\n' "$round" "$took" "$binary" "$text" \
        "$(echo "$took / $binary" | bc -l)" "$(echo "$took / $text" | bc -l)" "$((kilobytes / 1024))" "$(echo "$user + $system" | bc -l)"
    echo "$rows rows: generate $(echo "$rows / $took" | bc) rows/s, COPY binary $(echo "$rows / $binary" | bc) rows/s, COPY text $(echo "$rows / $text" | bc) rows/s"
done
