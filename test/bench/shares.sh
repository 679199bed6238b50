# shares.sh: ten clients of one role beside 900 of another that do the same work.
#
# The ten alone, the 900 alone, and both at once, through a gate of the same limit; with equal
# weights and with others. Sourced by run.sh, after gate.sh, whose server and loads it uses.
# shellcheck shell=bash

SHARES_LOADS=${SHARES_LOADS:-tpcb1 select}
SHARES_LIMIT=${SHARES_LIMIT:-4}
SHARES_MANY=${SHARES_MANY:-900}
SHARES_WEIGHTS=${SHARES_WEIGHTS:-1 3}
SHARES_WARM=${SHARES_WARM:-15}
SHARES_SECONDS=${SHARES_SECONDS:-20}

# shares_pgbench ROLE CLIENTS LOAD: starts it; its log is read by shares_figures
shares_pgbench() {
    local database=s50 threads=$(($2 < 20 ? 2 : 30))
    local -a script=(-b select-only)
    if [ "$3" = tpcb1 ]; then database=s1 script=(-b tpcb-like); fi
    as_user sh -c "rm -f $WORK/tmp/shares_$1.*"
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -U "$1" -n -M simple -c "$2" -j "$threads" -T $((SHARES_WARM + SHARES_SECONDS)) \
        "${script[@]}" -l --log-prefix="$WORK/tmp/shares_$1" "$database" >/dev/null 2>"$WORK/shares_$1.err" &
    SHARES_PIDS+=($!)
}

# shares_figures ROLE: "tps p99" after the warm-up, or "0 0"
shares_figures() {
    cat "$WORK"/tmp/shares_"$1".* 2>/dev/null | awk -v from=$((SHARES_START + SHARES_WARM)) -v to=$((SHARES_START + SHARES_WARM + SHARES_SECONDS)) \
        '$5 >= from && $5 < to { print $3 }' | sort -n |
        awk -v s="$SHARES_SECONDS" '{ v[NR] = $1 } END { printf "%.0f %.1f\n", NR / s, NR ? v[int(NR * 0.99) + (NR < 100)] / 1000 : 0 }'
}

# shares_run LOAD FEW MANY: so many clients of each role at once; writes "tps p99 tps p99"
shares_run() {
    SHARES_PIDS=()
    as_user sh -c "rm -f $WORK/tmp/shares_few.* $WORK/tmp/shares_many.*"
    SHARES_START=$(date +%s)
    if [ "$2" -gt 0 ]; then shares_pgbench few "$2" "$1"; fi
    if [ "$3" -gt 0 ]; then shares_pgbench many "$3" "$1"; fi
    wait "${SHARES_PIDS[@]}" || true
    printf '%s %s\n' "$(shares_figures few)" "$(shares_figures many)" >"$WORK/shares_row"
}

shares_row() {
    printf '%-8s %-26s %9s %10s %9s %10s %9s\n' "$@" | tee -a "$WORK/shares_rows"
}

bench_shares() {
    local load weight few p99_few many p99_many alone p99_alone most
    start_gate_server
    ask -c 'CREATE ROLE few LOGIN IN ROLE bench' -c 'CREATE ROLE many LOGIN IN ROLE bench' >/dev/null
    set_server_max_active "$SHARES_LIMIT"
    say ''
    say "shares: 10 clients of one role beside $SHARES_MANY of another, simple protocol, server_max_active = $SHARES_LIMIT,"
    say "$SHARES_SECONDS s after a warm-up of $SHARES_WARM s; p99 in ms; both do the same"
    shares_row load clients 'few tps' 'few p99' 'many tps' 'many p99' together
    for load in $SHARES_LOADS; do
        shares_run "$load" 0 "$SHARES_MANY"
        read -r few p99_few most p99_many <"$WORK/shares_row"
        shares_row "$load" "the $SHARES_MANY alone" - - "$most" "$p99_many" "$most"
        shares_run "$load" 10 0
        read -r alone p99_alone many p99_many <"$WORK/shares_row"
        shares_row "$load" 'the 10 alone' "$alone" "$p99_alone" - - "$alone"
        for weight in $SHARES_WEIGHTS; do
            ask -c "SELECT pool_advisor.set_limit('few', active_weight => $weight)" >/dev/null
            sleep 2
            shares_run "$load" 10 "$SHARES_MANY"
            read -r few p99_few many p99_many <"$WORK/shares_row"
            shares_row "$load" "both, weights $weight and 1" "$few" "$p99_few" "$many" "$p99_many" $((few + many))
            headline "shares, $load, weights $weight and 1: share of the ten" \
                "$(awk -v a="$few" -v b="$many" 'BEGIN { printf "%.3f", a / (a + b) }')" \
                "$(awk -v w="$weight" 'BEGIN { printf "%.3f", w / (w + 1) }')"
        done
        headline "shares, $load: both together" "$((few + many)) tps" "$most tps of the $SHARES_MANY alone"
    done
    control_server gate stop
}
