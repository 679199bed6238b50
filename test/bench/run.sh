#!/usr/bin/env bash
# What pool_advisor costs, and how well it counts; tables with medians.
#
# BENCH="sample status check" chooses; SAMPLES lists sessions and
# max_connections for "sample"; PAIRS and BENCH_SECONDS set how long "load" takes.
# Every comparison has both sides in the same run.
# shellcheck source=test/private_server.sh
source "$(dirname "${BASH_SOURCE[0]}")/../private_server.sh"
# shellcheck source=test/bench/limits.sh
source "$(dirname "${BASH_SOURCE[0]}")/limits.sh"
# shellcheck source=test/bench/truth.sh
source "$(dirname "${BASH_SOURCE[0]}")/truth.sh"
# shellcheck source=test/bench/gate.sh
source "$(dirname "${BASH_SOURCE[0]}")/gate.sh"
# shellcheck source=test/bench/pool_size.sh
source "$(dirname "${BASH_SOURCE[0]}")/pool_size.sh"
# shellcheck source=test/bench/queue.sh
source "$(dirname "${BASH_SOURCE[0]}")/queue.sh"
# shellcheck source=test/bench/open_loop.sh
source "$(dirname "${BASH_SOURCE[0]}")/open_loop.sh"
# shellcheck source=test/bench/shares.sh
source "$(dirname "${BASH_SOURCE[0]}")/shares.sh"
# shellcheck source=test/bench/mix.sh
source "$(dirname "${BASH_SOURCE[0]}")/mix.sh"
# shellcheck source=test/bench/collide.sh
source "$(dirname "${BASH_SOURCE[0]}")/collide.sh"
# shellcheck source=test/bench/auto.sh
source "$(dirname "${BASH_SOURCE[0]}")/auto.sh"
# shellcheck source=test/bench/endurance.sh
source "$(dirname "${BASH_SOURCE[0]}")/endurance.sh"
# shellcheck source=test/bench/chaos.sh
source "$(dirname "${BASH_SOURCE[0]}")/chaos.sh"
# shellcheck source=test/bench/latency.sh
source "$(dirname "${BASH_SOURCE[0]}")/latency.sh"
# shellcheck source=test/bench/blockers.sh
source "$(dirname "${BASH_SOURCE[0]}")/blockers.sh"

BENCH=${BENCH:-window sample status transaction metrics load agreement check logins storm effect}
SAMPLES=${SAMPLES:-10/110 100/200 1000/1100 1000/1100/active 1000/1100/changing 2000/2100 10/2100}
PAIRS=${PAIRS:-5}
SECONDS_EACH=${BENCH_SECONDS:-10}

median() { sort -g | awk '{ v[NR] = $1 } END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
ask() { psql_do -At "$@"; }

# headline WHAT FIGURE AGAINST: a row of the table at the end
headline() { printf '%-66s %16s   %s\n' "$1" "$2" "$3" >>"$WORK/headlines"; }

median_of_ratios() {
    local ratio
    ratio=$(median <"$WORK/ratios" | awk '{ printf "%.3f", $1 }')
    say "median of the ratios: $ratio"
    headline "$1" "$ratio" "$2"
}

# hold_sessions N [ROLE [active|changing]]: idle sessions, held by a pgbench that sleeps (longer
# would be out of its range); active ones, which sleep themselves; or active ones of which a
# tenth begins another statement between two samples, each under a name of its own
hold_sessions() {
    local times=1 held='idle + waiting_other'
    if [ "${3:-idle}" = changing ]; then
        times=1000000
        held="least(sessions, $1)"
    fi
    case ${3:-idle} in
        idle) printf 'SELECT 1;\n\\sleep 1000 s\n' ;;
        active) printf 'SELECT pg_sleep(1000);\n' ;;
        changing) printf "SET application_name = 'client :client_id';\nSELECT pg_sleep(1);\n" ;;
    esac | as_user tee "$WORK/tmp/hold.sql" >/dev/null
    start_child "$PG_BIN/pgbench" -h "$WORK/tmp" -U "${2:-postgres}" -n -c "$1" -j 1 -t "$times" \
        -f "$WORK/tmp/hold.sql" postgres >/dev/null 2>&1
    until [ "$(ask -c "SELECT $held FROM pool_advisor.status")" = "$1" ]; do
        kill -0 "$CHILD" 2>/dev/null || fail "the sessions ended"
        sleep 0.2
    done
}

release_sessions() {
    stop_child "$CHILD"
    ask -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'" >/dev/null 2>&1
    until [ "$(ask -c 'SELECT idle + waiting_other FROM pool_advisor.status')" = 0 ]; do sleep 0.2; done
}

# The minute that sample_cost_seconds is a mean of must be all of this load.
let_a_minute_pass() {
    local until
    until=$(ask -c "SELECT clock_timestamp() + interval '62 s'")
    until [ "$(ask -c "SELECT sampled_at > '$until' FROM pool_advisor.status")" = t ]; do sleep 0.5; done
}

# Median of 30 polls in one session, after a first one.
poll_microseconds() {
    local sql="SELECT count(*), count(*) FILTER (WHERE state = 'active') FROM pg_stat_activity"
    for _ in $(seq 31); do printf '%s;\n' "$sql"; done |
        ask -c '\timing on' -f - | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | tail -n 30 | median |
        awk '{ printf "%.0f", $1 * 1000 }'
}

# CPU time of a process so far, in nanoseconds
cpu_nanoseconds() { awk '{ print $1 }' "/proc/$1/schedstat"; }

bench_window() {
    say ''
    say 'window: digesting one sample, in the pure core (medians)'
    as_user gcc -O2 -std=gnu99 -I"$WORK/source/src" "$WORK/source/test/bench/window_cost.c" \
        "$WORK/source"/src/core/*/*.c -lm -o "$WORK/tmp/window_cost"
    as_user "$WORK/tmp/window_cost"
    say 'load: counting one sample by key, and the end of a second with new keys all the time (medians)'
    as_user gcc -O2 -std=gnu99 -I"$WORK/source/src" "$WORK/source/test/bench/load_cost.c" \
        "$WORK/source"/src/core/*/*.c -lm -o "$WORK/tmp/load_cost"
    as_user "$WORK/tmp/load_cost"
}

bench_sample() {
    local sessions slots state worker before after seconds=20
    start_server sample "shared_preload_libraries = 'pool_advisor'"
    ask -c 'CREATE EXTENSION pool_advisor'
    say ''
    say 'sample: CPU time of one sample (status.sample_cost_seconds, mean of a minute at 100 ms),'
    say 'the whole worker, and a query on pg_stat_activity as yardstick (median of 30)'
    printf '%17s %16s %12s %20s %22s\n' sessions max_connections 'sample, us' 'worker, % of a core' 'pg_stat_activity, us'
    for slots in $SAMPLES; do
        IFS=/ read -r sessions slots state <<<"$slots"
        state=${state:-idle}
        ask -c "ALTER SYSTEM SET max_connections = $slots"
        control_server sample restart
        worker=$(ask -c "SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'")
        hold_sessions "$sessions" postgres "$state"
        let_a_minute_pass
        before=$(cpu_nanoseconds "$worker")
        sleep "$seconds"
        after=$(cpu_nanoseconds "$worker")
        printf '%17s %16s %12s %20s %22s\n' "$sessions $state" "$slots" \
            "$(ask -c 'SELECT round((1e6 * sample_cost_seconds)::numeric, 1) FROM pool_advisor.status')" \
            "$(awk -v d=$((after - before)) -v s=$seconds 'BEGIN { printf "%.3f", d / s / 1e7 }')" \
            "$(poll_microseconds)"
        headline "sampling $sessions $state sessions, max_connections $slots" \
            "$(ask -c 'SELECT round((1e6 * sample_cost_seconds)::numeric, 1) FROM pool_advisor.status') us" 'CPU time of the worker'
        release_sessions
    done
    control_server sample stop
}

# Mean latency of a statement in microseconds, by pgbench with one client
statement_microseconds() {
    printf '%s;\n' "$1" | as_user tee "$WORK/tmp/statement.sql" >/dev/null
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -n -M prepared -c 1 -T 3 -f "$WORK/tmp/statement.sql" 2>/dev/null |
        sed -n 's/^latency average = \([0-9.]*\) ms/\1/p' | awk '{ print $1 * 1000 }'
}

bench_status() {
    local view alone with
    start_server status "shared_preload_libraries = 'pool_advisor'"
    ask -c 'CREATE EXTENSION pool_advisor'
    say ''
    say 'status: reading a view, against SELECT 1 in turn (pgbench -M prepared -c 1 -T 3, median of 5)'
    printf '%24s %12s %12s %12s\n' statement 'view, us' 'SELECT 1, us' 'more, us'
    for view in status optimal waits roles load advice hardware 'explain()'; do
        : >"$WORK/alone.us"
        : >"$WORK/with.us"
        for _ in 1 2 3 4 5; do
            statement_microseconds 'SELECT 1' >>"$WORK/alone.us"
            statement_microseconds "SELECT * FROM pool_advisor.$view" >>"$WORK/with.us"
        done
        alone=$(median <"$WORK/alone.us")
        with=$(median <"$WORK/with.us")
        printf '%24s %12s %12s %12s\n' "$view" "$with" "$alone" "$(awk -v a="$with" -v b="$alone" 'BEGIN { print a - b }')"
        headline "reading $view" "$(awk -v a="$with" -v b="$alone" 'BEGIN { printf "%.0f us more", a - b }')" 'SELECT 1, in turn'
    done
    control_server status stop
}

# CPU time of a statement in microseconds: the mean of 1000, after 20
cpu_microseconds() {
    ask 2>&1 <<SQL | sed -n 's/^NOTICE:  //p'
DO \$\$ DECLARE before bigint; BEGIN
    FOR i IN 1..20 LOOP PERFORM $1; END LOOP;
    before := split_part(pg_read_file('/proc/self/schedstat'), ' ', 1);
    FOR i IN 1..1000 LOOP PERFORM $1; END LOOP;
    RAISE NOTICE '%', (split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint - before) / 1000000;
END \$\$;
SQL
}

bench_metrics() {
    local roles statement few many
    start_server metrics "shared_preload_libraries = 'pool_advisor'" 'max_connections = 600'
    ask -c 'CREATE EXTENSION pool_advisor'
    as_user gcc -O2 -std=gnu99 -I"$("$PG_CONFIG" --includedir)" "$WORK/source/test/bench/hold_roles.c" \
        -L"$("$PG_CONFIG" --libdir)" -lpq -o "$WORK/tmp/hold_roles"
    ask -c "DO \$\$BEGIN FOR n IN 1..500 LOOP
        EXECUTE format('CREATE ROLE role_%s LOGIN; ALTER ROLE role_%s SET pool_advisor.max_sessions = 10', n, n);
        END LOOP; END\$\$"
    say ''
    say 'metrics: CPU time in the server, us (mean of 1000), by roles with a limit and a session each'
    printf '%24s %12s %12s\n' statement '5 roles' '500 roles'
    for roles in 5 500; do
        : >"$WORK/metrics.$roles"
        start_child "$WORK/tmp/hold_roles" "host=$WORK/tmp dbname=postgres" "$roles"
        until [ "$(ask -c "SELECT count(*) FROM pool_advisor.roles WHERE rolname ~ '^role_'")" = "$roles" ]; do sleep 0.2; done
        for statement in 'pool_advisor.openmetrics()' '* FROM pool_advisor.metrics' '* FROM pool_advisor.check_load()'; do
            cpu_microseconds "$statement" >>"$WORK/metrics.$roles"
        done
        stop_child "$CHILD"
        until [ "$(ask -c 'SELECT sessions FROM pool_advisor.status')" -le 1 ]; do sleep 0.2; done
    done
    printf '%s\n' 'openmetrics()' metrics 'check_load()' | paste - "$WORK/metrics.5" "$WORK/metrics.500" |
        awk '{ printf "%24s %12s %12s\n", $1, $2, $3 }' | tee "$WORK/metrics.all"
    while read -r statement few many; do
        headline "$statement, 5 and 500 roles with a session" "$few, $many us" 'CPU time in the server'
    done <"$WORK/metrics.all"
    control_server metrics stop
}

# tps of one run; the port chooses the server
throughput() {
    local port=$1
    shift
    PGPORT=$port as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -n -M prepared -c 8 -j 2 -T "$SECONDS_EACH" "$@" 2>/dev/null |
        sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}

# Nanoseconds of an empty transaction, in a loop inside the server
transaction_nanoseconds() {
    PGPORT=$1 ask <<'SQL' | tail -n 1
CREATE TEMP TABLE took (ns float8);
DO $$ DECLARE started timestamptz; BEGIN
FOR i IN 1..1000 LOOP COMMIT; END LOOP;
started := clock_timestamp();
FOR i IN 1..1000000 LOOP COMMIT; END LOOP;
INSERT INTO took VALUES (1000 * extract(epoch FROM clock_timestamp() - started));
END $$;
SELECT ns FROM took;
SQL
}

# compare_transactions WHAT AGAINST: between the servers at ports 54330 (with) and 54331 (without)
compare_transactions() {
    local pair with without more
    printf '%6s %10s %10s %8s\n' pair with without more
    : >"$WORK/more"
    for pair in $(seq $((2 * PAIRS))); do
        with=$(transaction_nanoseconds $((54330 + pair % 2)))
        without=$(transaction_nanoseconds $((54331 - pair % 2)))
        if [ $((pair % 2)) = 1 ]; then read -r with without <<<"$without $with"; fi
        awk -v a="$with" -v b="$without" -v p="$pair" -v out="$WORK/more" \
            'BEGIN { printf "%6d %10.1f %10.1f %8.1f\n", p, a, b, a - b; print a - b >> out }'
    done
    more=$(median <"$WORK/more" | awk '{ printf "%.0f", $1 }')
    say "median: $more ns more"
    headline "$1" "$more ns more" "$2"
}

bench_transaction() {
    PGPORT=54330 start_server with "shared_preload_libraries = 'pool_advisor'" 'port = 54330'
    PGPORT=54331 start_server without 'port = 54331'
    say ''
    say 'transaction: a million empty transactions in a loop in the server, ns each, in turn'
    compare_transactions 'counting a transaction' 'a server without the library, in turn'
    PGPORT=54330 control_server with stop
    PGPORT=54331 control_server without stop
}

bench_load() {
    local kind pair with without
    PGPORT=54330 start_server with "shared_preload_libraries = 'pool_advisor'" 'shared_buffers = 512MB' 'max_wal_size = 4GB' 'port = 54330'
    PGPORT=54331 start_server without 'shared_buffers = 512MB' 'max_wal_size = 4GB' 'port = 54331'
    for port in 54330 54331; do
        PGPORT=$port as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -i -q -s 20 >/dev/null 2>&1
        PGPORT=$port as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -n -S -c 8 -j 2 -T 5 >/dev/null 2>&1
    done
    for kind in -S -N; do
        say ''
        say "load: pgbench -M prepared $kind -s 20 -c 8 -j 2 -T $SECONDS_EACH, tps with and without the library, in turn"
        printf '%6s %10s %10s %8s\n' pair with without ratio
        : >"$WORK/ratios"
        for pair in $(seq "$PAIRS"); do
            # the order changes, so that neither always comes first
            if [ $((pair % 2)) = 1 ]; then
                with=$(throughput 54330 "$kind")
                without=$(throughput 54331 "$kind")
            else
                without=$(throughput 54331 "$kind")
                with=$(throughput 54330 "$kind")
            fi
            awk -v a="$with" -v b="$without" -v p="$pair" -v out="$WORK/ratios" \
                'BEGIN { printf "%6d %10.0f %10.0f %8.3f\n", p, a, b, a / b; print a / b >> out }'
        done
        median_of_ratios "pgbench $kind, 8 clients" 'a server without the library, in turn'
    done
    PGPORT=54330 control_server with stop
    PGPORT=54331 control_server without stop
}

# What status says of a minute, against a poll of pg_stat_activity a hundred
# times a second in that minute. The poll is one active session itself.
bench_agreement() {
    local clients
    start_server agreement "shared_preload_libraries = 'pool_advisor'" 'max_connections = 200' \
        'shared_buffers = 256MB' 'max_wal_size = 4GB'
    ask -c 'CREATE EXTENSION pool_advisor'
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -i -q -s 10 >/dev/null 2>&1
    say ''
    say 'agreement: average sessions over a minute of tpcb, polled at 100 Hz and sampled at 10 Hz'
    for clients in 4 16 64; do
        say "$clients clients"
        start_child "$PG_BIN/pgbench" -h "$WORK/tmp" -n -M prepared -c "$clients" -j 2 -T 70 >/dev/null 2>&1
        sleep 3
        psql_do -P pager=off -f "$WORK/source/test/bench/agreement.sql"
        wait "$CHILD"
    done
    control_server agreement stop
}

# Random days of simulated servers, with a seed that no constant was chosen with
bench_simulate() {
    say ''
    local seed=${SEED:-$RANDOM}
    say "simulate: ${SIMULATIONS:-200} random days of each kind in production, seed $seed"
    as_user gcc -O2 -std=gnu99 -D_GNU_SOURCE -I"$WORK/source/src" -I"$WORK/source/test/unit" \
        "$WORK/source/test/unit/test_production.c" "$WORK/source"/src/core/*/*.c -lm -o "$WORK/tmp/test_production"
    as_user "$WORK/tmp/test_production" random "$seed" "${SIMULATIONS:-200}"
}

ulimit -n 8192 2>/dev/null || true
PARTS='window simulate sample status transaction metrics load agreement check logins storm effect truth gate pool_size auto auto_follow auto_bursts gate_cost fairness ddl holders thrash gaps open_loop overload latency shares mix collide blockers chaos endurance'

prepare
say "$("$PG_CONFIG" --version), $(nproc) CPUs, $(uname -sr)"
for part in $BENCH; do
    case " $PARTS " in
        *" $part "*) "bench_$part" ;;
        *) fail "no bench \"$part\"; there are: $PARTS" ;;
    esac
done
if [ -s "$WORK/headlines" ]; then
    say ''
    printf '%-66s %16s   %s\n' headline figure against
    cat "$WORK/headlines"
fi
