# pool_size.sh: is pool_size what a transaction pool needs?
#
# For each load and pause: 200 clients work without a pooler while pool_advisor learns,
# then it is asked, and the same clients work through PgBouncer with several sizes and
# the advised one among them. In each round all sizes are run, one after the other; a
# figure is held against the others of its round, and the median of the rounds is
# shown, so that what else runs on the machine disturbs less. Sourced by run.sh, after gate.sh, which has PgBouncer.
# shellcheck shell=bash

POOL_LOADS=${POOL_LOADS:-select tpcb50 tpcb1}
POOL_PAUSES=${POOL_PAUSES:-0 1 10 100}
POOL_SIZES=${POOL_SIZES:-1 2 3 4 6 8 12 16 24 32 64 128}
POOL_CLIENTS=${POOL_CLIENTS:-200}
POOL_LEARN=${POOL_LEARN:-60}
POOL_SECONDS=${POOL_SECONDS:-5}
POOL_ROUNDS=${POOL_ROUNDS:-5}

# pool_script LOAD PAUSE: what each client does, in a file of that name
pool_script() {
    local scale=50
    if [ "$1" = tpcb1 ]; then scale=1; fi
    {
        printf '\\set a random(1, 100000 * %d)\n' "$scale"
        if [ "$1" = select ]; then
            printf 'SELECT abalance FROM pgbench_accounts WHERE aid = :a;\n'
        else
            printf '\\set b random(1, %d)\n\\set t random(1, 10 * %d)\n\\set d random(-5000, 5000)\n' "$scale" "$scale"
            printf 'BEGIN;\nUPDATE pgbench_accounts SET abalance = abalance + :d WHERE aid = :a;\n'
            printf 'SELECT abalance FROM pgbench_accounts WHERE aid = :a;\n'
            printf 'UPDATE pgbench_tellers SET tbalance = tbalance + :d WHERE tid = :t;\n'
            printf 'UPDATE pgbench_branches SET bbalance = bbalance + :d WHERE bid = :b;\n'
            printf 'INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (:t, :b, :a, :d, now());\nEND;\n'
        fi
        if [ "$2" != 0 ]; then printf '\\sleep %d ms\n' "$2"; fi
    } | as_user tee "$WORK/tmp/pool.sql" >/dev/null
}

# pool_tps LOAD HOST PORT SECONDS: tps without the first second
pool_tps() {
    local database=s50
    if [ "$1" = tpcb1 ]; then database=s1; fi
    as_user "$PG_BIN/pgbench" -h "$2" -p "$3" -U bench -n -M simple -c "$POOL_CLIENTS" -j 8 -T "$(($4 + 1))" -P 1 \
        -f "$WORK/tmp/pool.sql" "$database" 2>&1 >/dev/null |
        sed -n 's/^progress: \([0-9.]*\) s, \([0-9.]*\) tps.*/\1 \2/p' |
        awk '$1 > 1.5 { sum += $2; n++ } END { print n ? sum / n : 0 }'
}

# pool_learn LOAD: the advised sizes, from clients without a pooler
pool_learn() {
    ask -c "SELECT pool_advisor.reset()" >/dev/null
    pool_tps "$1" "$WORK/tmp" "$PGPORT" "$POOL_LEARN" >/dev/null
    ask -F ' ' -c 'SELECT pool_size, session_pool_size, optimal, optimal_method FROM pool_advisor.status'
}

# start_pools SIZE...: a PgBouncer for each, with its socket in a folder of its own
start_pools() {
    local size
    POOLS=()
    for size in "$@"; do
        as_user mkdir -p "$WORK/tmp/pool.$size"
        printf '[databases]\n* = host=%s port=%s user=bench\n[pgbouncer]\nlisten_addr =\nlisten_port = 6433\nunix_socket_dir = %s\nauth_type = any\npool_mode = transaction\nmax_client_conn = 3000\ndefault_pool_size = %s\nlogfile = %s/log\nlog_connections = 0\nlog_disconnections = 0\nignore_startup_parameters = extra_float_digits\n' \
            "$WORK/tmp" "$PGPORT" "$WORK/tmp/pool.$size" "$size" "$WORK/tmp/pool.$size" | as_user tee "$WORK/tmp/pool.$size/ini" >/dev/null
        start_child "$BOUNCER" -q "$WORK/tmp/pool.$size/ini"
        POOLS+=("$CHILD")
        until [ -S "$WORK/tmp/pool.$size/.s.PGSQL.6433" ]; do
            kill -0 "$CHILD" 2>/dev/null || fail "pgbouncer did not start: $(tail -n 3 "$WORK/tmp/pool.$size/log")"
            sleep 0.1
        done
    done
}

stop_pools() {
    local pool
    for pool in "${POOLS[@]}"; do stop_child "$pool"; done
}

# Of lines "round size tps": a line for each size, with the median over the rounds of what it
# does beside the mean of its round, in tps of the mean round.
pool_medians() {
    awk '{ tps[$1, $2] = $3; sum[$1] += $3; n[$1]++; if (!($1 in seen)) { seen[$1]; rounds[++r] = $1 } sizes[$2] }
        END {
            for (i = 1; i <= r; i++) mean += sum[rounds[i]] / n[rounds[i]] / r
            for (s in sizes) for (i = 1; i <= r; i++)
                if (sum[rounds[i]] > 0) print s, mean * tps[rounds[i], s] * n[rounds[i]] / sum[rounds[i]]
        }' "$WORK/pool.figures" | sort -k1,1n -k2,2g |
        awk '$1 != size { show(); size = $1; n = 0 } { v[++n] = $2 }
            function show() { if (n) print size, n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2 }
            END { show() }'
}

# pool_row LOAD PAUSE ADVISED SESSION OPTIMAL METHOD
pool_row() {
    pool_medians |
        awk -v load="$1" -v pause="$2" -v advised="$3" -v session="$4" -v optimal="$5" -v method="$6" '
            { n[NR] = $1; tps[$1] = $2; if ($2 > best) { best = $2; at = $1 } }
            END {
                for (i = NR; i >= 1; i--) if (tps[n[i]] >= 0.97 * best) least = n[i]
                printf "%-7s %6d %8d %8d %-11s %8d %9.0f %9.0f %5d %7.1f %% %9d %7.2f\n", load, pause, advised, optimal,
                    method, session, tps[advised], best, at, 100 * tps[advised] / best, least, advised / least
                line = "#      "
                for (i = 1; i <= NR; i++) line = line sprintf(" %d: %.0f", n[i], tps[n[i]])
                print line
            }' | tee "$WORK/pool.row"
    headline "200 clients that pause $2 ms through a pool of the advised $3, $1" \
        "$(awk 'NR == 1 { print $10 " %" }' "$WORK/pool.row")" "the best size; $(awk 'NR == 1 { print $13 }' "$WORK/pool.row") times the smallest with 97 %"
}

bench_pool_size() {
    local load pause size sizes round advised session optimal method
    fetch_pgbouncer
    if [ -z "$BOUNCER" ]; then
        say '# pool_size: pgbouncer cannot be had'
        return
    fi
    start_server gate "shared_preload_libraries = 'pool_advisor'" 'max_connections = 600' 'shared_buffers = 1GB' \
        'max_wal_size = 8GB' 'checkpoint_timeout = 30min'
    fill_gate
    say ''
    say "pool_size: $POOL_CLIENTS clients through PgBouncer, simple protocol; learned in $POOL_LEARN s without it;"
    say "median of $POOL_ROUNDS rounds of $POOL_SECONDS s; smallest: the smallest size with 97 % of the best"
    printf '%-7s %6s %8s %8s %-11s %8s %9s %9s %5s %9s %9s %7s\n' load 'pause' advised optimal method session tps best at 'of best' smallest times
    for load in $POOL_LOADS; do
        for pause in $POOL_PAUSES; do
            pool_script "$load" "$pause"
            read -r advised session optimal method < <(pool_learn "$load")
            sizes=$({ tr ' ' '\n' <<<"$POOL_SIZES"; say "$advised"; } | sort -nu)
            # shellcheck disable=SC2086 # numbers
            start_pools $sizes
            : >"$WORK/pool.figures"
            for round in $(seq "$POOL_ROUNDS"); do
                for size in $sizes; do
                    printf '%d %d %s\n' "$round" "$size" "$(pool_tps "$load" "$WORK/tmp/pool.$size" 6433 "$POOL_SECONDS")"
                done
            done >>"$WORK/pool.figures"
            stop_pools
            pool_row "$load" "$pause" "$advised" "$session" "$optimal" "$method"
        done
    done
    control_server gate stop
}
