# mix.sh: long reports beside many short clients.
#
# Both at once without a limit, and through a gate of the same limit: without the lane of long
# transactions, with it, and with limits by hand on the role of the reports instead. The short
# ones alone have the slots that a limit by hand leaves them. Sourced by run.sh, after gate.sh,
# whose server and loads it uses.
# shellcheck shell=bash

MIX_LOADS=${MIX_LOADS:-select tpcb50}
MIX_LIMITS=${MIX_LIMITS:-4 8}
MIX_SHORT=${MIX_SHORT:-256}
MIX_LONG=${MIX_LONG:-8}
MIX_ROUNDS=${MIX_ROUNDS:-3}
MIX_WARM=${MIX_WARM:-8}
MIX_SECONDS=${MIX_SECONDS:-20}

# mix_pgbench ROLE CLIENTS THREADS NAME SCRIPT...: starts it; its log is read by mix_figures
mix_pgbench() {
    local role=$1 clients=$2 threads=$3 name=$4
    shift 4
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -U "$role" -n -M simple -c "$clients" -j "$threads" -T $((MIX_WARM + MIX_SECONDS)) \
        "$@" -l --log-prefix="$WORK/tmp/mix_$name" s50 >/dev/null 2>"$WORK/mix_$name.err" &
    MIX_PIDS+=($!)
}

# mix_figures NAME: "tps p99" after the warm-up, p99 in ms, or "0 0"
mix_figures() {
    cat "$WORK"/tmp/mix_"$1".* 2>/dev/null | awk -v from=$((MIX_START + MIX_WARM)) -v to=$((MIX_START + MIX_WARM + MIX_SECONDS)) \
        '$5 >= from && $5 < to { print $3 }' | sort -n |
        awk -v s="$MIX_SECONDS" '{ v[NR] = $1 } END { printf "%.2f %.1f\n", NR / s, NR ? v[int(NR * 0.99) + (NR < 100)] / 1000 : 0 }'
}

# mix_run LOAD SHORT LONG ROLE: so many clients of each at once, the long ones as ROLE; "tps p99 tps"
mix_run() {
    local -a script=(-b select-only)
    if [ "$1" = tpcb50 ]; then script=(-b tpcb-like); fi
    MIX_PIDS=()
    as_user sh -c "rm -f $WORK/tmp/mix_short.* $WORK/tmp/mix_long.*"
    MIX_START=$(date +%s)
    if [ "$2" -gt 0 ]; then mix_pgbench few "$2" 20 short "${script[@]}"; fi
    if [ "$3" -gt 0 ]; then mix_pgbench "$4" "$3" "$3" long -f "$WORK/tmp/report.sql"; fi
    wait "${MIX_PIDS[@]}" || true
    printf '%s %s\n' "$(mix_figures short)" "$(mix_figures long | cut -d' ' -f1)"
}

# mix_gate LIMIT LANE SPLIT: the server's limit, the lane on or off, and max_active of the role of the reports
mix_gate() {
    ask -c "ALTER SYSTEM SET pool_advisor.long_lane = $2" >/dev/null
    set_server_max_active "$1"
    ask -c "SELECT pool_advisor.set_limit('many', max_active => $3)" >/dev/null
    sleep 2
}

# mix_variants LIMIT: "short long lane split role name" of each row; the first run is the warm-up of the server
mix_variants() {
    local split splits=1
    if [ "$1" -ge 4 ]; then splits="$splits $(($1 / 4)) $(($1 / 2)) $(($1 - 1))"; fi
    # shellcheck disable=SC2086 # a list of numbers
    splits=$(printf '%s\n' $splits | sort -nu)
    echo "$MIX_SHORT 0 off -1 many short-alone-$1"
    for split in $splits; do echo "$MIX_SHORT 0 off $split many short-alone-$(($1 - split))"; done
    echo "$MIX_SHORT $MIX_LONG off -1 many no-lane"
    echo "$MIX_SHORT $MIX_LONG on -1 many lane"
    echo "$MIX_SHORT $MIX_LONG off -1 few no-lane,-one-role"
    echo "$MIX_SHORT $MIX_LONG on -1 few lane,-one-role"
    for split in $splits; do echo "$MIX_SHORT $MIX_LONG off $split many by-hand-$split"; done
}

# mix_row LOAD LIMIT NAME: medians of its rounds
mix_row() {
    local column figures=''
    for column in 4 5 6; do
        figures="$figures $(awk -v l="$1" -v n="$2" -v name="$3" -v c="$column" '$1 == l && $2 == n && $3 == name { print $c }' "$WORK/mix_rounds" |
            sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }')"
    done
    # shellcheck disable=SC2086
    printf '%-8s %6s  %-18s %12.0f %10.1f %10.2f\n' "$1" "$2" "$3" $figures | tee -a "$WORK/mix_rows"
}

# mix_of LOAD LIMIT NAME COLUMN: a figure of a row
mix_of() {
    awk -v l="$1" -v n="$2" -v name="$3" -v c="$4" '$1 == l && $2 == n && $3 == name { print $c }' "$WORK/mix_rows"
}

bench_mix() {
    local load limit short long lane split role name round limit_set
    start_gate_server
    ask -c 'CREATE ROLE few LOGIN IN ROLE bench' -c 'CREATE ROLE many LOGIN IN ROLE bench' \
        -c 'ALTER SYSTEM SET compute_query_id = on' -c 'ALTER SYSTEM SET max_parallel_workers_per_gather = 0' \
        -c 'SELECT pg_reload_conf()' >/dev/null
    printf 'SELECT sum(abalance) FROM pgbench_accounts;\n' | as_user tee "$WORK/tmp/report.sql" >/dev/null
    as_user "$PG_BIN/psql" -X -q -h "$WORK/tmp" -U bench -c 'VACUUM ANALYZE pgbench_accounts' s50
    say ''
    say "mix: $MIX_LONG clients with reports beside $MIX_SHORT short ones, simple protocol, $MIX_SECONDS s after a warm-up of $MIX_WARM s,"
    say "medians of $MIX_ROUNDS rounds; p99 in ms; by-hand-N: max_active = N for the role of the reports"
    printf '%-8s %6s  %-18s %12s %10s %10s\n' load limit variant 'short tps' 'short p99' 'long tps'
    : >"$WORK/mix_rounds"
    for load in $MIX_LOADS; do
        mix_gate off off -1
        mix_run "$load" "$MIX_SHORT" 0 many >/dev/null
        for limit in off $MIX_LIMITS; do
            # shellcheck disable=SC2034 # only the number of rounds counts
            for round in $(seq "$MIX_ROUNDS"); do
                if [ "$limit" = off ]; then echo "$MIX_SHORT $MIX_LONG off -1 many direct"; else mix_variants "$limit"; fi >"$WORK/mix_list"
                while read -r short long lane split role name; do
                    limit_set=$limit
                    if [ "$long" = 0 ] && [ "$split" -gt 0 ]; then limit_set=$((limit - split)) split=-1; fi
                    mix_gate "$limit_set" "$lane" "$split"
                    echo "$load $limit $name $(mix_run "$load" "$short" "$long" "$role" </dev/null)" >>"$WORK/mix_rounds"
                done <"$WORK/mix_list"
            done
            while read -r short long lane split role name; do mix_row "$load" "$limit" "$name"; done <"$WORK/mix_list"
            [ "$limit" = off ] && continue
            headline "mix, $load, limit $limit: p99 of short ones beside the lane, ms" "$(mix_of "$load" "$limit" lane 5)" \
                "$(mix_of "$load" "$limit" "short-alone-$((limit - (limit > 4 ? limit / 4 : 1)))" 5) alone, $(mix_of "$load" "$limit" no-lane 5) without"
            headline "mix, $load, limit $limit: reports a second in the lane" "$(mix_of "$load" "$limit" lane 6)" \
                "$(mix_of "$load" "$limit" "by-hand-$((limit > 4 ? limit / 4 : 1))" 6) by hand"
        done
    done
    control_server gate stop
}
