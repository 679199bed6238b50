# blockers.sh: what it costs to read the locks while many wait for them.
#
# The CPU time of the worker in a second, with so many sessions that wait for locks, against
# as many that are as active and wait for a timer; so the difference is one look at the
# locks. Beside it what it takes to ask pg_blocking_pids() of each waiter. Sourced by run.sh.
# shellcheck shell=bash

BLOCKERS=${BLOCKERS:-12 100 1000}
BLOCKERS_SECONDS=${BLOCKERS_SECONDS:-10}

# hold_clients COUNT SCRIPT [TRANSACTIONS]: pgbench in the background
hold_clients() {
    printf '%s\n' "$2" | as_user tee "$WORK/tmp/blockers_$1_${#HELD[@]}.sql" >/dev/null
    start_child "$PG_BIN/pgbench" -h "$WORK/tmp" -U postgres -n -c "$1" -j 1 -t 1 \
        -f "$WORK/tmp/blockers_$1_${#HELD[@]}.sql" postgres >/dev/null 2>&1
    HELD+=("$CHILD")
}

wait_until() { until [ "$(ask -c "SELECT $1")" = t ]; do sleep 0.2; done; }

let_clients_go() {
    local child
    for child in "${HELD[@]}"; do stop_child "$child"; done
    HELD=()
    ask -c "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'pgbench'" >/dev/null 2>&1
    wait_until "count(*) = 0 FROM pg_stat_activity WHERE application_name = 'pgbench'"
}

# Microseconds of the worker's CPU in a second; the median of five periods.
worker_microseconds() {
    local pid before
    pid=$(ask -c "SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'")
    for _ in 1 2 3 4 5; do
        before=$(cpu_nanoseconds "$pid")
        sleep "$BLOCKERS_SECONDS"
        echo $((($(cpu_nanoseconds "$pid") - before) / 1000 / BLOCKERS_SECONDS))
    done | median
}

# Milliseconds to ask core about each waiter; the median of five.
ask_core_milliseconds() {
    for _ in 1 2 3 4 5; do
        echo "SELECT count(pg_blocking_pids(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock';"
    done | ask -c '\timing on' -f - | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | median
}

# hold_shape SHAPE WAITERS
hold_shape() {
    case $1 in
        timer) hold_clients "$2" 'SELECT pg_sleep(1000);' ;;
        queue)
            hold_clients 1 $'BEGIN;\nUPDATE hot SET n = n + 1 WHERE a = 0;\n\\sleep 1000 s'
            wait_until "count(*) = 1 FROM pg_stat_activity WHERE application_name = 'pgbench' AND state = 'idle in transaction'"
            hold_clients "$2" 'UPDATE hot SET n = n + 1 WHERE a = 0;'
            ;;
        pairs)
            hold_clients "$2" $'BEGIN;\nUPDATE hot SET n = n + 1 WHERE a = :client_id;\n\\sleep 1000 s'
            wait_until "count(*) = $2 FROM pg_stat_activity WHERE application_name = 'pgbench' AND state = 'idle in transaction'"
            hold_clients "$2" 'UPDATE hot SET n = n + 1 WHERE a = :client_id;'
            ;;
    esac
    wait_until "count(*) = $2 FROM pg_stat_activity WHERE application_name = 'pgbench' AND wait_event_type IN ('Lock', 'Timeout')"
}

bench_blockers() {
    local waiters shape cost timer core
    local -a HELD=()
    start_server blockers "shared_preload_libraries = 'pool_advisor'" 'max_connections = 2100' 'deadlock_timeout = 1h' 'autovacuum = off'
    ask -c 'CREATE EXTENSION pool_advisor' -c 'CREATE TABLE hot AS SELECT a, 0 AS n FROM generate_series(0, 2000) AS a' \
        -c 'CREATE UNIQUE INDEX ON hot (a)' >/dev/null
    say ''
    say "blockers: CPU time of a look at the locks, with max_connections = 2100"
    printf '%8s %8s %14s %14s %12s %20s\n' waiters shape 'worker, us/s' 'timer, us/s' 'a look, us' 'pg_blocking_pids, ms'
    for waiters in $BLOCKERS; do
        hold_shape timer "$waiters"
        timer=$(worker_microseconds)
        let_clients_go
        for shape in queue pairs; do
            hold_shape "$shape" "$waiters"
            cost=$(worker_microseconds)
            core=$(ask_core_milliseconds)
            printf '%8s %8s %14.0f %14.0f %12.0f %20.1f\n' "$waiters" "$shape" "$cost" "$timer" \
                "$(awk -v a="$cost" -v b="$timer" 'BEGIN { print a - b }')" "$core"
            headline "a look at the locks, $waiters waiters ($shape)" "$(awk -v a="$cost" -v b="$timer" 'BEGIN { printf "%.0f us", a - b }')" \
                "pg_blocking_pids() of each: $core ms"
            let_clients_go
        done
    done
    control_server blockers stop
}
