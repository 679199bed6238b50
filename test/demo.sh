#!/usr/bin/env bash
# A private server under real load, seen through the views.
#
# DEMO_SECONDS: how long each load runs. REPORT: where the HTML page goes.
# shellcheck source=test/private_server.sh
source "$(dirname "${BASH_SOURCE[0]}")/private_server.sh"

SECONDS_EACH=${DEMO_SECONDS:-20}
REPORT=${REPORT:-$PWD/pool_advisor-report.html}
CLIENTS='4 64 400'

step() { say ""; say "[$1/10] $2"; }

query() { psql_do -P pager=off "$@"; }

# show TITLE SQL [PSQL OPTION...]
show() {
    local title=$1 sql=$2
    shift 2
    say ""
    say "-- $title"
    query "$@" -c "$sql"
}

# pgbench for all clients; with many, a few threads of it would be the
# bottleneck
load() {
    local clients=$1 threads=$1
    if [ "$threads" -gt 10 ]; then threads=10; fi
    start_child "$PG_BIN/pgbench" -h "$WORK/tmp" -n -M prepared -c "$clients" -j "$threads" \
        -T "$SECONDS_EACH" -l --sampling-rate=0.1 --log-prefix="$WORK/tmp/log-$clients" \
        >"$WORK/load-$clients.out" 2>&1
}

# The load's own figures, once it has ended.
figures() {
    local clients=$1 tps latency p99
    tps=$(sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$WORK/load-$clients.out")
    latency=$(sed -n 's/^latency average = \([0-9.]*\).*/\1/p' "$WORK/load-$clients.out")
    p99=$(cat "$WORK/tmp/log-$clients".* | awk '{ print $3 }' | sort -n |
        awk '{ v[NR] = $1 } END { if (NR) printf "%.1f", v[int((NR * 99 + 99) / 100)] / 1000 }')
    query -c "INSERT INTO demo_runs VALUES ($clients, ${tps:-NULL}, ${latency:-NULL}, ${p99:-NULL})"
}

# One load, looked at a few seconds before its end. The server is restarted
# before it, so that the last minute has nothing of the load before.
run_load() {
    local clients=$1
    control_server demo restart
    load "$clients"
    sleep $((SECONDS_EACH - 3))
    show "status with $clients clients" 'SELECT * FROM pool_advisor.status' -x
    query -c "CREATE TABLE status_$clients AS SELECT * FROM pool_advisor.status"
    show "optimal with $clients clients" 'SELECT * FROM pool_advisor.optimal_brief'
    show "waits with $clients clients, the eight longest of the last 10 s" \
        "SELECT wait_event_type, wait_event, round(active_avg::numeric, 2) AS active_avg FROM pool_advisor.waits
         WHERE period = '10 s' ORDER BY active_avg DESC LIMIT 8"
    show "advice with $clients clients" 'SELECT * FROM pool_advisor.advice_brief'
    if [ "$clients" = 400 ]; then
        show 'the reasoning' 'SELECT * FROM pool_advisor.explain()' -t -P format=wrapped -P columns=120
        show 'roles' 'SELECT * FROM pool_advisor.roles_brief'
    fi
    wait "$CHILD" || { cat "$WORK/load-$clients.out" >&2; fail "pgbench failed"; }
    figures "$clients"
}

# The history is kept over restarts, so the page has all three loads.
write_report() {
    query -At -c 'SELECT pool_advisor.report()' >"$WORK/report.html"
    cp "$WORK/report.html" "$REPORT"
    if [ -n "${SUDO_UID:-}" ] && [ "$(id -u)" = 0 ]; then
        chown "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$REPORT"
    fi
}

step 1 'packages and build (a minute on a bare machine, else seconds)'
prepare
step 2 'start a private server, and load pgbench data'
start_server demo "shared_preload_libraries = 'pool_advisor'" 'max_connections = 450' 'pool_advisor.queue_share = 1' \
    'shared_buffers = 256MB' 'max_wal_size = 4GB'
query -c 'CREATE EXTENSION pool_advisor' \
    -c 'CREATE TABLE demo_runs (clients int, tps numeric, latency_ms numeric, p99_ms numeric)'
as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -i -q -s 10 >/dev/null 2>&1
number=3
for clients in $CLIENTS; do
    step $number "pgbench with $clients clients for $SECONDS_EACH s"
    run_load "$clients"
    number=$((number + 1))
done

step 6 'what the number of clients did to throughput and latency'
show 'the same work, on the same machine, with more and more clients' "
    SELECT clients, round(tps) AS tps, latency_ms, p99_ms AS latency_p99_ms,
           round(s.active_avg::numeric, 1) AS active, s.optimal, s.pool_size,
           round(s.load_ratio::numeric, 2) AS load_ratio, s.verdict
    FROM demo_runs JOIN (SELECT 4 AS clients, * FROM status_4 UNION ALL
                         SELECT 64, * FROM status_64 UNION ALL
                         SELECT 400, * FROM status_400) s USING (clients)
    ORDER BY clients"
show 'hardware' 'SELECT * FROM pool_advisor.hardware_brief'

# 400 programs that connect, work for a moment and leave, on 16 sessions: an
# error for most of them, and none with a queue to wait in.
invocations() {
    local script=$WORK/tmp/invocation.sql
    printf 'SELECT pg_sleep(0.05);\n' | as_user tee "$script" >/dev/null
    # it fails when one client is refused
    { as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -U app -n -C -c 400 -j 400 -t 1 -f "$script" postgres 2>&1 || true; } |
        sed -n 's/^number of transactions actually processed: /  done: /p'
}

step 7 'limits: 400 programs at once, 16 sessions for them'
query -c 'CREATE ROLE app LOGIN' -c 'ALTER ROLE app SET pool_advisor.max_sessions = 16'
until [ "$(query -At -c "SELECT count(*) FROM pool_advisor.limits")" = 1 ]; do sleep 0.1; done
say 'without a queue:'
invocations
query -c 'ALTER ROLE app SET pool_advisor.queue_length = 400' -c "ALTER ROLE app SET pool_advisor.queue_timeout = '50s'"
until [ "$(query -At -c "SELECT queue_length, queue_timeout FROM pool_advisor.limits")" = '400|00:00:50' ]; do sleep 0.1; done
say 'with a queue:'
invocations
show 'the limit' 'SELECT * FROM pool_advisor.limits' -x
show 'what it did' "SELECT rolname, max_sessions, refused_total, queued_total, timed_out_total, queue_wait_seconds_total
    FROM pool_advisor.roles WHERE rolname = 'app'" -x

# The clients of before, as an ordinary role: superusers pass the gate.
through_the_gate() {
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -U app -n -M prepared -c 400 -j 40 -T "$SECONDS_EACH" postgres 2>&1 |
        sed -n 's/^latency average = /  latency /p; s/^tps = \([0-9]*\).*/  tps \1/p'
}

step 8 'the gate: 400 clients, and as many transactions at a time as were found best'
query -c 'ALTER ROLE app RESET ALL' -c 'GRANT ALL ON ALL TABLES IN SCHEMA public TO app'
until [ "$(query -At -c "SELECT count(*) FROM pool_advisor.limits")" = 0 ]; do sleep 0.1; done
say 'without the gate:'
through_the_gate
query -c "ALTER SYSTEM SET pool_advisor.server_max_active = $(query -At -c 'SELECT coalesce(pool_size, optimal) FROM pool_advisor.status')" \
    -c 'SELECT pg_reload_conf()' >/dev/null
until [ "$(query -At -c "SELECT state FROM pool_advisor.gate")" = fixed ]; do sleep 0.1; done
say 'with it:'
through_the_gate
show 'the gate' 'SELECT * FROM pool_advisor.gate' -x

# A pool in front of an application, of so many connections. Debian's PgBouncer is unpacked beside its
# libraries, not installed, because its package would start a service.
start_pool() {
    local folder=$WORK/bouncer ini=$WORK/tmp/pgbouncer.ini
    printf '[databases]\nshop = host=%s port=%s user=app\n[pgbouncer]\nlisten_addr =\nlisten_port = 6433\nunix_socket_dir = %s\nauth_type = any\npool_mode = transaction\nmax_client_conn = 1000\ndefault_pool_size = %s\nlogfile = %s\n' \
        "$WORK/tmp" "$PGPORT" "$WORK/tmp" "$1" "$WORK/tmp/pgbouncer.log" | as_user tee "$ini" >/dev/null
    start_child env LD_LIBRARY_PATH="$(printf '%s:' "$folder"/usr/lib/*-linux-gnu)" "$folder/usr/sbin/pgbouncer" -q "$ini"
    POOL=$CHILD
    until [ -S "$WORK/tmp/.s.PGSQL.6433" ]; do
        kill -0 "$POOL" 2>/dev/null || return 1
        sleep 0.1
    done
}

# The application: 200 callers that ask for a connection of the pool for each transaction.
callers() {
    CALLS_FROM=$(($(date +%s) + 3))
    start_child "$PG_BIN/pgbench" -h "$WORK/tmp" -p 6433 -n -c 200 -j 8 -T "$SECONDS_EACH" \
        -l --log-prefix="$WORK/tmp/calls-$1" shop >"$WORK/calls.out" 2>&1
}

# What they had, without the first seconds.
callers_had() {
    wait "$CHILD" || { cat "$WORK/calls.out" >&2; fail "pgbench failed"; }
    cat "$WORK/tmp/calls-$1".* | awk -v from="$CALLS_FROM" '$5 >= from { print $3 }' | sort -n |
        awk -v size="$1" -v seconds=$((SECONDS_EACH - 3)) '{ v[NR] = $1; sum += $1 } END {
            printf "INSERT INTO demo_pools VALUES (%d, %d, %.1f, %.1f)\n", size, NR / seconds, sum / NR / 1000, v[int((NR * 99 + 99) / 100)] / 1000 }' |
        query
}

size_the_pool() {
    local size
    query -c 'ALTER SYSTEM RESET pool_advisor.server_max_active' -c 'SELECT pg_reload_conf()' \
        -c 'CREATE DATABASE shop OWNER app' -c 'CREATE TABLE demo_pools (connections int, tps int, mean_ms numeric, p99_ms numeric)' >/dev/null
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -U app -i -q -s 1 shop >/dev/null 2>&1
    query -At -c "SELECT pool_advisor.reset('scalability')" >/dev/null
    if ! start_pool 100; then
        tail -n 3 "$WORK/tmp/pgbouncer.log" >&2 || true
        say 'NOT RUN: PgBouncer does not start here'
        return
    fi
    callers 100
    sleep $((SECONDS_EACH - 3))
    show 'the pool of 100, as the server sees it' "SELECT role, database, application_name, kind, open, max_in_use, suggested_size
        FROM pool_advisor.pools WHERE database = 'shop'"
    query -c "CREATE TABLE demo_config AS SELECT * FROM pool_advisor.client_config('pgbouncer')"
    show 'what to set' "SELECT setting, value, reason FROM demo_config WHERE setting = 'default_pool_size'" -x -P format=wrapped -P columns=100
    size=$(query -At -c "SELECT value FROM demo_config WHERE setting = 'default_pool_size'")
    callers_had 100
    stop_child "$POOL"
    if [ -z "$size" ]; then
        say 'NOT RUN: the load was too small or too short to be measured; set DEMO_SECONDS'
        return
    fi
    start_pool "$size" || fail 'PgBouncer does not start again'
    callers "$size"
    callers_had "$size"
    stop_child "$POOL"
    show 'the same 200 callers, with a pool of 100 and with that of pool_advisor' 'SELECT * FROM demo_pools ORDER BY connections DESC'
}

step 9 'an application behind a pool of 100 connections, and of as many as pool_advisor says'
unpack_all "$WORK/bouncer" pgbouncer
if [ -x "$WORK/bouncer/usr/sbin/pgbouncer" ]; then
    size_the_pool
else
    say 'NOT RUN: PgBouncer cannot be had'
fi

step 10 'write the report, to be opened in a browser'
write_report
say "$REPORT"
