# truth.sh: is the number that was found the best one?
#
# For each workload: drive clients up and down while pool_advisor learns, ask it,
# then measure throughput at fixed numbers of clients with the advised one among
# them. Sourced by run.sh, which has the tools used here.
# shellcheck shell=bash

TRUTH=${TRUTH:-select tpcb50 tpcb1 cpu reads mix contention}
CLIENTS=${CLIENTS:-1 2 4 8 16 32 64 128 200}
THINK_MS=${THINK_MS:-0}
DRIVE_SECONDS=${DRIVE_SECONDS:-120}
ROUNDS=${ROUNDS:-3}
READS_GB=${READS_GB:-3}

script() { as_user tee "$WORK/tmp/$1.sql" >/dev/null; }

# A pause between transactions, like that of a client over a network.
think() {
    if [ "$THINK_MS" != 0 ]; then printf '\\sleep %d ms\n' "$THINK_MS"; fi
}

write_scripts() {
    { printf '\\set a random(1, 5000000)\nSELECT abalance FROM pgbench_accounts WHERE aid = :a;\n'; think; } | script select
    for scale in 1 50; do
        {
            printf '\\set a random(1, 100000 * %d)\n\\set b random(1, %d)\n\\set t random(1, 10 * %d)\n\\set d random(-5000, 5000)\n' "$scale" "$scale" "$scale"
            printf 'BEGIN;\nUPDATE pgbench_accounts SET abalance = abalance + :d WHERE aid = :a;\n'
            printf 'SELECT abalance FROM pgbench_accounts WHERE aid = :a;\n'
            printf 'UPDATE pgbench_tellers SET tbalance = tbalance + :d WHERE tid = :t;\n'
            printf 'UPDATE pgbench_branches SET bbalance = bbalance + :d WHERE bid = :b;\n'
            printf 'INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (:t, :b, :a, :d, now());\nEND;\n'
            think
        } | script "tpcb$scale"
    done
    { printf 'SELECT sum(i * i) FROM generate_series(1, 8000) i;\n'; think; } | script cpu
    { printf '\\set i random(1, %d)\nSELECT length(filler) FROM reads WHERE id = :i;\n' $((READS_GB * 1000000)); think; } | script reads
    {
        printf '\\set long random(1, 10)\n\\set a random(1, 5000000)\n\\if :long = 1\n'
        printf 'SELECT sum(i * i) FROM generate_series(1, 30000) i;\n'
        printf '\\else\nSELECT abalance FROM pgbench_accounts WHERE aid = :a;\n\\endif\n'
        think
    } | script mix
    {
        printf '\\set hot random(1, 5)\n\\set a random(1, 5000000)\n\\if :hot = 1\n'
        printf 'UPDATE pgbench_branches SET bbalance = bbalance + 1 WHERE bid = 1;\n'
        printf '\\else\nUPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = :a;\n\\endif\n'
        think
    } | script contention
}

fill_truth() {
    ask -c 'CREATE EXTENSION pool_advisor' >/dev/null
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -i -q -s 50 postgres >/dev/null 2>&1
    case " $TRUTH " in
        *' reads '*)
            ask >/dev/null <<SQL
CREATE TABLE reads AS SELECT i AS id, repeat('x', 900) AS filler FROM generate_series(1, $((READS_GB * 1000000))) i;
CREATE UNIQUE INDEX ON reads (id);
VACUUM (FREEZE) reads;
SQL
            ;;
    esac
}

# tps of a workload with so many clients for so many seconds
run_clients() {
    local workload=$1 clients=$2 seconds=$3 jobs=$2
    if [ "$jobs" -gt 16 ]; then jobs=16; fi
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -n -M prepared -c "$clients" -j "$jobs" -T "$seconds" \
        -f "$WORK/tmp/$workload.sql" postgres 2>/dev/null | sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}

client_numbers() { tr ' ' '\n' <<<"$CLIENTS"; }

# Up and down through the numbers of clients.
drive() {
    local clients steps
    mapfile -t steps < <(client_numbers; client_numbers | tac)
    for clients in "${steps[@]}"; do
        run_clients "$1" "$clients" $((DRIVE_SECONDS / ${#steps[@]})) >/dev/null
    done
}

show_truth() {
    psql_do -x <<'SQL'
SELECT optimal_method, confidence, optimal, pool_size, busy_ratio, verdict FROM pool_advisor.status;
SQL
    ask -F ' ' <<'SQL'
SELECT method, coalesce(connections::text, '-'), explanation, not_available_because FROM pool_advisor.optimal;
SQL
    psql_do -c 'SELECT round(connections::numeric, 1) AS connections, round(active::numeric, 1) AS active, round(seconds::numeric, 1) AS seconds, round(transactions_per_second) AS tps, round(fitted_transactions_per_second) AS fitted FROM pool_advisor.scalability' \
        -c 'SELECT * FROM pool_advisor.scalability_fit'
}

MEMORY_GROUP=

# Give the server so much memory, page cache included: takes root and a memory
# cgroup (version 1 or 2).
confine_server() {
    local bytes=$1 pid
    if [ -w /sys/fs/cgroup/memory/cgroup.procs ]; then
        MEMORY_GROUP=/sys/fs/cgroup/memory/pool_advisor_bench.$$
        mkdir "$MEMORY_GROUP" && echo "$bytes" >"$MEMORY_GROUP/memory.limit_in_bytes"
    elif [ -w /sys/fs/cgroup/cgroup.procs ] && grep -q memory /sys/fs/cgroup/cgroup.subtree_control; then
        MEMORY_GROUP=/sys/fs/cgroup/pool_advisor_bench.$$
        mkdir "$MEMORY_GROUP" && echo "$bytes" >"$MEMORY_GROUP/memory.max"
    else
        return 1
    fi
    pid=$(head -n 1 "$WORK/truth/postmaster.pid")
    for pid in "$pid" $(ps -o pid= --ppid "$pid"); do
        echo "$pid" >"$MEMORY_GROUP/cgroup.procs" 2>/dev/null || true
    done
    sync
    echo 1 >/proc/sys/vm/drop_caches
}

# The group goes when its last process has gone.
release_memory() {
    if [ -n "$MEMORY_GROUP" ]; then
        control_server truth stop
        rmdir "$MEMORY_GROUP"
        MEMORY_GROUP=
        control_server truth start
    fi
}

# What a workload needs of the server; false when it cannot be had.
prepare_truth() {
    if [ "$1" = reads ]; then
        ask -c "ALTER SYSTEM SET shared_buffers = '128MB'" >/dev/null
    fi
    control_server truth restart
    ask -c 'ALTER SYSTEM RESET ALL' >/dev/null
    # a quarter of the data, and room for 200 backends
    [ "$1" != reads ] || confine_server $((READS_GB * 250000000 + 400000000))
}

bench_truth() {
    local workload advised formula clients list
    start_server truth "shared_preload_libraries = 'pool_advisor'" 'max_connections = 250' \
        "shared_buffers = ${TRUTH_BUFFERS:-1GB}" 'max_wal_size = 8GB' 'checkpoint_timeout = 1h' \
        'autovacuum = off' ${TRUTH_FSYNC:+"fsync = $TRUTH_FSYNC"}
    fill_truth
    write_scripts
    for workload in $TRUTH; do
        if ! prepare_truth "$workload"; then
            say "truth: $workload is left out, it takes root and a memory cgroup"
            continue
        fi
        ask -c 'VACUUM pgbench_branches, pgbench_tellers' >/dev/null
        run_clients "$workload" 4 3 >/dev/null
        ask -c 'SELECT pool_advisor.reset()' >/dev/null
        drive "$workload"
        say ''
        say "truth: $workload, think time $THINK_MS ms, driven from 1 to 200 clients and back in $DRIVE_SECONDS s"
        show_truth
        advised=$(ask -c 'SELECT pool_size FROM pool_advisor.status')
        formula=$(ask -c "SELECT connections FROM pool_advisor.optimal WHERE method = 'formula'")
        list=$({ client_numbers; say "$advised"; say "$formula"; } | sort -nu)
        for clients in $list; do : >"$WORK/truth.$clients"; done
        for _ in $(seq "$ROUNDS"); do
            for clients in $list; do
                run_clients "$workload" "$clients" "$SECONDS_EACH" >>"$WORK/truth.$clients"
            done
        done
        for clients in $list; do
            printf '%s %s\n' "$clients" "$(median <"$WORK/truth.$clients")"
        done | awk -v advised="$advised" -v formula="$formula" -v name="$workload" '
            { n[NR] = $1; tps[$1] = $2; if ($2 > best) { best = $2; at = $1 } }
            END {
                for (i = 1; i <= NR; i++) printf "%8s clients %10.0f tps %6.1f %% of the best\n", n[i], tps[n[i]], 100 * tps[n[i]] / best
                printf "RESULT %s: advised %d = %.1f %% of the best (at %d); formula %d = %.1f %%\n",
                    name, advised, 100 * tps[advised] / best, at, formula, 100 * tps[formula] / best
            }' | tee "$WORK/truth.row"
        headline "throughput with the advised $advised connections, $workload" \
            "$(sed -n 's/^RESULT.*: advised [0-9]* = \([0-9.]*\) .*/\1 %/p' "$WORK/truth.row")" \
            "the best of fixed numbers; the formula has $(sed -n 's/.*formula [0-9]* = //p' "$WORK/truth.row")"
        release_memory
    done
    control_server truth stop
}
