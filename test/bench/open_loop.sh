# open_loop.sh: requests that come at their own rate, below the capacity and above it.
#
# open_loop: shares of the capacity; the server directly, through the gate, and through PgBouncer.
# overload: above the capacity, with clients that give up; queue_target as by default and set, in turn.
# In both, the capacity is what the gate does in closed loop with as many clients as its limit
# and twice as many, just before. Sourced by run.sh; uses the servers and loads of gate.sh.
# shellcheck shell=bash

OPEN_LOADS=${OPEN_LOADS:-tpcb1 select}
OPEN_CLIENTS=${OPEN_CLIENTS:-100}
OPEN_SHARES=${OPEN_SHARES:-0.5 0.8}
OPEN_LIMIT=${OPEN_LIMIT:-8}
OPEN_VARIANTS=${OPEN_VARIANTS:-direct gate:8 gate:32 auto pgbouncer:8}
OPEN_WARM=${OPEN_WARM:-5}
OPEN_AUTO_WARM=${OPEN_AUTO_WARM:-45}
OPEN_SECONDS=${OPEN_SECONDS:-10}
OPEN_ROUNDS=${OPEN_ROUNDS:-1}
OVERLOAD_LOADS=${OVERLOAD_LOADS:-tpcb1}
OVERLOAD_CLIENTS=${OVERLOAD_CLIENTS:-500}
OVERLOAD_SHARES=${OVERLOAD_SHARES:-0.9 1.5 3}
OVERLOAD_PATIENCE_MS=${OVERLOAD_PATIENCE_MS:-100 1000}
OVERLOAD_TARGETS=${OVERLOAD_TARGETS:--1 50ms}

build_open_loop() {
    as_user gcc -O2 -std=gnu99 -D_GNU_SOURCE -I"$("$PG_CONFIG" --includedir)" "$WORK/source/test/bench/open_loop.c" \
        -L"$("$PG_CONFIG" --libdir)" -lpq -lm -o "$WORK/tmp/open_loop"
}

# open_sql LOAD: one message, so that a connection is busy for one transaction
open_sql() {
    case $1 in
        tpcb*) printf '%s' 'BEGIN; UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = %1; SELECT abalance FROM pgbench_accounts WHERE aid = %1; UPDATE pgbench_tellers SET tbalance = tbalance + 1 WHERE tid = %2; UPDATE pgbench_branches SET bbalance = bbalance + 1 WHERE bid = %3; INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (%2, %3, %1, 1, CURRENT_TIMESTAMP); END' ;;
        select) printf '%s' 'SELECT abalance FROM pgbench_accounts WHERE aid = %1' ;;
        *) fail "no load \"$1\"" ;;
    esac
}

open_database() { if [ "$1" = tpcb1 ]; then echo s1; else echo s50; fi; }
open_scale() { if [ "$1" = tpcb1 ]; then echo 1; else echo 50; fi; }

# open_run LOAD CLIENTS RATE PATIENCE_MS PORT [SECONDS]: a line of figures, as open_loop.c says
open_run() {
    as_user env SCALE="$(open_scale "$1")" "$WORK/tmp/open_loop" \
        "host=$WORK/tmp port=$5 user=bench dbname=$(open_database "$1")" "$2" "$3" "$OPEN_SECONDS" "$OPEN_WARM" "$4" "$(open_sql "$1")"
}

# open_capacity LOAD: answers a second where there is always one more request
open_capacity() {
    local clients
    set_server_max_active "$OPEN_LIMIT"
    for clients in "$OPEN_LIMIT" $((2 * OPEN_LIMIT)); do
        open_run "$1" "$clients" 0 1000000 "$PGPORT" | cut -d ' ' -f 2
    done | sort -n | tail -n 1
}

share_of() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.0f", a * b }'; }

# open_variant VARIANT LOAD CLIENTS RATE: a line of figures. auto begins to search with each of them.
open_variant() {
    local port=$PGPORT bouncer='' OPEN_WARM=$OPEN_WARM
    case $1 in
        direct) set_server_max_active off ;;
        gate:*) set_server_max_active "${1#gate:}" ;;
        auto)
            set_server_max_active auto
            OPEN_WARM=$OPEN_AUTO_WARM
            ;;
        pgbouncer:*)
            set_server_max_active off
            start_bouncer "${1#pgbouncer:}"
            bouncer=$CHILD port=6433
            ;;
        *) fail "no variant \"$1\"" ;;
    esac
    open_run "$2" "$3" "$4" 1000000 "$port"
    if [ -n "$bouncer" ]; then stop_child "$bouncer"; fi
}

# open_variants GREP-OPTION...: those whose names grep selects
open_variants() { tr ' ' '\n' <<<"$OPEN_VARIANTS" | grep "$@" || true; }

# The same with their p99.
open_p99s() {
    local variant
    for variant in $(open_variants "$@"); do
        printf '%s %s ' "$(median_column 8 "$WORK/open.$variant")" "$variant"
    done
}

# column NUMBER FILE: the median of a column
median_column() { cut -d ' ' -f "$1" "$2" | median; }

bench_open_loop() {
    local load clients share variant capacity rate round
    fetch_pgbouncer
    [ -n "$BOUNCER" ] || OPEN_VARIANTS=$(open_variants -v pgbouncer)
    [ -z "$BOUNCER" ] || say "# $("$BOUNCER" --version | head -n 1)"
    start_gate_server
    build_open_loop
    say ''
    say "open_loop: answers a second, and ms from when the request came; $OPEN_SECONDS s after $OPEN_WARM s, auto after $OPEN_AUTO_WARM s, medians of $OPEN_ROUNDS rounds in turn"
    printf '%-8s %8s %6s %8s  %-12s %9s %8s %8s %8s\n' load clients share rate variant answers mean p50 p99
    for load in $OPEN_LOADS; do
        capacity=$(open_capacity "$load")
        for clients in $OPEN_CLIENTS; do
            for share in $OPEN_SHARES; do
                rate=$(share_of "$share" "$capacity")
                rm -f "$WORK"/open.*
                for round in $(seq "$OPEN_ROUNDS"); do
                    # shellcheck disable=SC2086 # a list of words
                    for variant in $(in_turn "$round" $OPEN_VARIANTS); do
                        open_variant "$variant" "$load" "$clients" "$rate" >>"$WORK/open.$variant"
                    done
                done
                for variant in $OPEN_VARIANTS; do
                    printf '%-8s %8s %6s %8s  %-12s %9.0f %8.2f %8.2f %8.2f\n' "$load" "$clients" "$share" "$rate" "$variant" \
                        "$(median_column 2 "$WORK/open.$variant")" "$(median_column 6 "$WORK/open.$variant")" \
                        "$(median_column 7 "$WORK/open.$variant")" "$(median_column 8 "$WORK/open.$variant")"
                done
                headline "open loop, $load, $clients clients, $share of the capacity: p99 in ms" \
                    "$(open_p99s '^gate\|^auto')" "$(open_p99s -v '^gate\|^auto')"
            done
        done
    done
    set_server_max_active off
    control_server gate stop
}

set_queue_target() {
    ask -c "ALTER SYSTEM SET pool_advisor.queue_target = '$1'" -c 'SELECT pg_reload_conf()' >/dev/null
    until [ "$(ask -c "SELECT setting::float8 = extract(epoch FROM '$1'::interval) FROM pg_settings WHERE name = 'pool_advisor.queue_target'")" = t ]; do sleep 0.1; done
}

bench_overload() {
    local load clients share patience target capacity rate round useful
    start_gate_server
    build_open_loop
    say ''
    say "overload: useful answers a second, within the patience of clients that do not tell that they give up; limit $OPEN_LIMIT,"
    say "$OPEN_SECONDS s after $OPEN_WARM s, medians of $OPEN_ROUNDS rounds in turn"
    printf '%-8s %8s %6s %8s %10s %8s %9s %9s %9s %14s %14s\n' load clients share rate patience target useful late errors 'no connection' 'of capacity'
    for load in $OVERLOAD_LOADS; do
        capacity=$(open_capacity "$load")
        for clients in $OVERLOAD_CLIENTS; do
            for share in $OVERLOAD_SHARES; do
                for patience in $OVERLOAD_PATIENCE_MS; do
                    rate=$(share_of "$share" "$capacity")
                    rm -f "$WORK"/overload.*
                    for round in $(seq "$OPEN_ROUNDS"); do
                        # shellcheck disable=SC2086 # a list of words
                        for target in $(in_turn "$round" $OVERLOAD_TARGETS); do
                            set_queue_target "$target"
                            open_run "$load" "$clients" "$rate" "$patience" "$PGPORT" >>"$WORK/overload.$target"
                        done
                    done
                    for target in $OVERLOAD_TARGETS; do
                        useful=$(median_column 2 "$WORK/overload.$target")
                        printf '%-8s %8s %6s %8s %10s %8s %9.0f %9.0f %9.0f %14.0f %14s\n' "$load" "$clients" "$share" "$rate" "$patience" "$target" \
                            "$useful" "$(median_column 3 "$WORK/overload.$target")" "$(median_column 4 "$WORK/overload.$target")" \
                            "$(median_column 5 "$WORK/overload.$target")" "$(divide "$useful" "$capacity")"
                        headline "overload, $load, $share of the capacity, patience $patience ms, queue_target $target: useful" "$useful" "$capacity is the capacity"
                    done
                done
            done
        done
    done
    set_queue_target -1
    set_server_max_active off
    control_server gate stop
}
