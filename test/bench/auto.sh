# auto.sh: does server_max_active = auto find the best limit, and find it again?
#
# Each load is run with fixed limits, to know the best. Then auto is run from a cold
# start, and after it had settled for the load before; what counts is throughput from
# the 30th second on, against the best limit just before and just after it.
# Sourced by run.sh; uses the loads of gate.sh.
# shellcheck shell=bash

AUTO_LOADS=${AUTO_LOADS:-tpcb1 select fk tpcb50}
AUTO_CLIENTS=${AUTO_CLIENTS:-256}
AUTO_MODE=${AUTO_MODE:-simple}
AUTO_LIMITS=${AUTO_LIMITS:-2 4 8 16 32}

# auto_tps LOAD WARM SECONDS
auto_tps() {
    local figures
    figures=$(GATE_WARM=$2 GATE_SECONDS=$3 gate_pgbench "$1" "$AUTO_MODE" "$AUTO_CLIENTS" "$PGPORT")
    printf '%s' "${figures% *}"
}

fixed_tps() {
    set_server_max_active "$2"
    auto_tps "$1" 10 10
}

# best_limit LOAD: rows go to standard error
best_limit() {
    local limit tps best=0 most=0
    for limit in $AUTO_LIMITS; do
        tps=$(fixed_tps "$1" "$limit")
        printf '%-8s %-14s %9s\n' "$1" "$limit" "$tps" >&2
        if [ "$tps" -gt "$most" ]; then most=$tps best=$limit; fi
    done
    printf '%s' "$best"
}

# auto_against LOAD LIMIT [PREVIOUS LOAD]: a row
auto_against() {
    local before auto after limit share
    before=$(fixed_tps "$1" "$2")
    set_server_max_active off
    set_server_max_active auto
    [ -z "${3:-}" ] || auto_tps "$3" 40 1 >/dev/null
    auto=$(auto_tps "$1" 30 20)
    limit=$(ask -c "SELECT max_active || ', ' || state FROM pool_advisor.gate")
    after=$(fixed_tps "$1" "$2")
    share=$(awk -v a="$auto" -v b="$before" -v c="$after" 'BEGIN { printf "%.3f", 2 * a / (b + c) }')
    printf '%-8s %-14s %9s %8s   at %s; %s has %s before and %s after\n' "$1" "auto${3:+, was $3}" "$auto" "$share" "$limit" "$2" "$before" "$after"
    headline "server_max_active = auto after 30 s, $1${3:+, settled for $3 before}" "$share" "the best fixed limit, $2"
}

# auto_now: "limit, state" of this moment
auto_now() { ask -c "SELECT max_active || ', ' || state FROM pool_advisor.gate"; }

# auto_phase NAME SECONDS CLIENTS SCRIPT...: a load, and every 10 s where auto stands
auto_phase() {
    local name=$1 seconds=$2 clients=$3
    shift 3
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -U bench -n -c "$clients" -j 8 -T "$seconds" -P 10 "$@" s1 >/dev/null 2>"$WORK/auto.err" &
    local pgbench=$!
    while kill -0 "$pgbench" 2>/dev/null; do
        sleep 10
        printf '%-22s %-24s %s\n' "$name" "$(auto_now)" "$(grep '^progress' "$WORK/auto.err" | tail -n 1 | cut -d, -f1-2)"
    done
    wait "$pgbench" || true
}

# mean tps of the last lines of progress
auto_last_tps() { grep '^progress' "$WORK/auto.err" | tail -n "$1" | awk '{ sum += $4; n++ } END { printf "%.0f", n ? sum / n : 0 }'; }

# One load after another that gains from many: does it come down again?
bench_auto_follow() {
    local limit tps best=0
    start_gate_server
    printf 'SELECT pg_sleep(0.02);\n' | as_user tee "$WORK/tmp/sleep.sql" >/dev/null
    say ''
    say 'auto_follow: 120 clients of tpcb at scale 1, then 190 that sleep 20 ms, then tpcb again'
    for limit in 2 4 8; do
        set_server_max_active "$limit"
        auto_phase "fixed, $limit" 20 120 -b tpcb-like
        tps=$(auto_last_tps 1)
        if [ "$tps" -gt "$best" ]; then best=$tps; fi
    done
    set_server_max_active auto
    auto_phase 'tpcb' 60 120 -b tpcb-like
    headline 'auto, 120 clients of tpcb: tps after 40 s' "$(auto_last_tps 2)" "the best of three limits: $best"
    auto_phase 'asleep' 40 190 -f "$WORK/tmp/sleep.sql"
    auto_phase 'tpcb again' 90 120 -b tpcb-like
    headline '... and 60 s after 190 that sleep' "$(auto_last_tps 3)" "the best of three limits: $best"
    control_server gate stop
}

# Bursts of 4 s and pauses of 4 s: what does it make of the pauses?
bench_auto_bursts() {
    local i load limit
    start_gate_server
    say ''
    say 'auto_bursts: 60 clients for 4 s, nobody for 4 s; what is said after each fifth burst'
    printf "SELECT count(*) FROM generate_series(1, 2000);\n" | as_user tee "$WORK/tmp/count.sql" >/dev/null
    for load in tpcb count; do
        for limit in 2 4 8 auto; do
            set_server_max_active off
            set_server_max_active "$limit"
            : >"$WORK/bursts"
            for i in $(seq "$([ "$limit" = auto ] && echo 15 || echo 3)"); do
                if [ "$load" = tpcb ]; then set -- -b tpcb-like; else set -- -f "$WORK/tmp/count.sql"; fi
                as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -U bench -n -c 60 -j 8 -T 4 "$@" s1 2>/dev/null |
                    sed -n 's/^tps = \([0-9.]*\).*/\1/p' >>"$WORK/bursts"
                if [ "$limit" = auto ] && [ $((i % 5)) = 0 ]; then
                    say "$load, burst $i: $(auto_now); $(ask -c 'SELECT explanation FROM pool_advisor.gate')"
                fi
                sleep 4
            done
            say "$load, $limit: $(tail -n 5 "$WORK/bursts" | median) tps, median of the last bursts"
            headline "bursts of 4 s, $load, $limit: tps" "$(tail -n 5 "$WORK/bursts" | median)" 'beside other limits'
        done
    done
    control_server gate stop
}

bench_auto() {
    local load previous='' best
    start_gate_server
    say ''
    say "auto: $AUTO_CLIENTS clients, $AUTO_MODE; fixed limits for 10 s after 10 s, auto for 20 s after 30 s"
    printf '%-8s %-14s %9s %8s\n' load limit tps 'of best'
    for load in $AUTO_LOADS; do
        best=$(best_limit "$load" 2>&3)
        auto_against "$load" "$best"
        [ -z "$previous" ] || auto_against "$load" "$best" "$previous"
        previous=$load
    done 3>&1
    control_server gate stop
}
