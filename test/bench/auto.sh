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
    limit=$(ask -c "SELECT transactions_allowed || ', ' || state FROM pool_advisor.gate")
    after=$(fixed_tps "$1" "$2")
    share=$(awk -v a="$auto" -v b="$before" -v c="$after" 'BEGIN { printf "%.3f", 2 * a / (b + c) }')
    printf '%-8s %-14s %9s %8s   at %s; %s has %s before and %s after\n' "$1" "auto${3:+, was $3}" "$auto" "$share" "$limit" "$2" "$before" "$after"
    headline "server_max_active = auto after 30 s, $1${3:+, settled for $3 before}" "$share" "the best fixed limit, $2"
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
