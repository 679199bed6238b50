# collide.sh: one row that many sessions update, beside other work.
#
# A fifth of the clients update the same row, the others do the load. Without a limit, with limits
# of the server, with limits by hand on a role that only the hot ones have, and with a limit on
# their statement, which needs no role of its own. Sourced by run.sh, after mix.sh.
# shellcheck shell=bash

COLLIDE_LOADS=${COLLIDE_LOADS:-select tpcb50}
COLLIDE_CLIENTS=${COLLIDE_CLIENTS:-256}
COLLIDE_ROUNDS=${COLLIDE_ROUNDS:-3}

# collide_run LOAD ROLE: "others' tps and p99, hot tps and p99"
collide_run() {
    local hot=$((COLLIDE_CLIENTS / 5))
    local -a script=(-b select-only)
    if [ "$1" = tpcb50 ]; then script=(-b tpcb-like); fi
    MIX_PIDS=()
    as_user sh -c "rm -f $WORK/tmp/mix_short.* $WORK/tmp/mix_long.*"
    # shellcheck disable=SC2034 # mix_figures reads it
    MIX_START=$(date +%s)
    mix_pgbench few $((COLLIDE_CLIENTS - hot)) 16 short "${script[@]}"
    mix_pgbench "$2" "$hot" 4 long -f "$WORK/tmp/hot.sql"
    wait "${MIX_PIDS[@]}" || true
    printf '%s %s\n' "$(mix_figures short)" "$(mix_figures long)"
}

# collide_limit SERVER ROLE QUERY: the server's limit, that of the role of the hot ones, that of their statement
collide_limit() {
    local query=
    if [ "$3" != off ]; then query="$HOT_QUERY = $3"; fi
    ask -c "ALTER SYSTEM SET pool_advisor.query_max_active = '$query'" >/dev/null
    set_server_max_active "$1"
    ask -c "SELECT pool_advisor.set_limit('many', max_active => $2)" >/dev/null
    sleep 2
}

# "server role query role-of-the-hot name" of each row
collide_variants() {
    local server limit
    for server in off 4 8; do
        echo "$server -1 off few server-$server"
        for limit in 1 2 4; do
            echo "$server $limit off many server-$server,-role-$limit"
            echo "$server -1 $limit few server-$server,-query-$limit"
        done
    done
}

bench_collide() {
    local load server limit query role name round column
    start_gate_server
    ask -c 'CREATE ROLE few LOGIN IN ROLE bench' -c 'CREATE ROLE many LOGIN IN ROLE bench' \
        -c 'ALTER SYSTEM SET compute_query_id = on' -c 'SELECT pg_reload_conf()' >/dev/null
    printf 'UPDATE pgbench_branches SET bbalance = bbalance + 1 WHERE bid = 1;\n' | as_user tee "$WORK/tmp/hot.sql" >/dev/null
    HOT_QUERY=$(ask -d s50 -c "EXPLAIN (VERBOSE) $(cat "$WORK/tmp/hot.sql")" | sed -n 's/^Query Identifier: //p')
    say ''
    say "collide: $((COLLIDE_CLIENTS / 5)) of $COLLIDE_CLIENTS clients update one row, simple protocol, $MIX_SECONDS s after a warm-up of $MIX_WARM s,"
    say "medians of $COLLIDE_ROUNDS rounds; p99 in ms; role-N: max_active = N for a role of the hot ones; query-N: query_max_active"
    printf '%-8s %-20s %12s %12s %10s %10s\n' load variant "others' tps" 'p99' 'hot tps' 'p99'
    for load in $COLLIDE_LOADS; do
        : >"$WORK/collide_rounds"
        # shellcheck disable=SC2034 # only the number of rounds counts
        for round in $(seq "$COLLIDE_ROUNDS"); do
            while read -r server limit query role name; do
                collide_limit "$server" "$limit" "$query"
                echo "$name $(collide_run "$load" "$role" </dev/null)" >>"$WORK/collide_rounds"
            done < <(collide_variants | shuf)
        done
        while read -r server limit query role name; do
            printf '%-8s %-20s' "$load" "$name"
            for column in 2 3 4 5; do
                awk -v name="$name" -v c="$column" '$1 == name { print $c }' "$WORK/collide_rounds" | median |
                    awk '{ printf " %11.1f", $1 }'
            done
            echo
        done < <(collide_variants)
    done
    control_server gate stop
}
