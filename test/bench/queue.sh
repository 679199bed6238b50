# queue.sh: what the transaction queue costs others and itself: DDL beside it, slots held by
# sessions that do nothing, rows that all want, pauses after BEGIN.
#
# Every figure stands beside one of the same load without a limit, in the same server and in
# turn; each variant is run QUEUE_ROUNDS times, the order changing. Sourced by run.sh.
#
# pgbench waits for the answer when it prepares a statement, and all clients of that thread wait
# with it, also those that hold locks: so here each client has a thread of its own.
# shellcheck shell=bash

QUEUE_SECONDS=${QUEUE_SECONDS:-4}
QUEUE_ROUNDS=${QUEUE_ROUNDS:-2}
DDL_CLIENTS=${DDL_CLIENTS:-80 170}
DDL_LIMITS=${DDL_LIMITS:-4 8}
HOLDERS=${HOLDERS:-0 4 7 8 16}
HOLDERS_LIMIT=${HOLDERS_LIMIT:-8}
HOLDER_KINDS=${HOLDER_KINDS:-sleep copy}
THRASH_LOADS=${THRASH_LOADS:-hot order parents}
THRASH_CLIENTS=${THRASH_CLIENTS:-64 256}
THRASH_LIMITS=${THRASH_LIMITS:-2 4 8}
GAPS_MS=${GAPS_MS:-0 10 30}
GAPS_LIMITS=${GAPS_LIMITS:-2 8}
WORK_MS=${WORK_MS:-2}

start_queue_server() {
    local loops
    start_server queue "shared_preload_libraries = 'pool_advisor'" 'max_connections = 400' \
        'shared_buffers = 256MB' 'max_wal_size = 4GB' 'checkpoint_timeout = 30min' 'deadlock_timeout = 100ms'
    ask <<'SQL'
CREATE EXTENSION pool_advisor;
CREATE ROLE bench LOGIN;
GRANT ALL ON SCHEMA public TO bench;
CREATE TABLE busy AS SELECT generate_series(1, 1000) AS a, 0 AS n;
CREATE TABLE hot (a int PRIMARY KEY, n int NOT NULL) WITH (fillfactor = 20);
INSERT INTO hot SELECT generate_series(1, 20), 0;
CREATE TABLE parents (a int PRIMARY KEY, n int NOT NULL) WITH (fillfactor = 20);
INSERT INTO parents SELECT generate_series(1, 5), 0;
CREATE TABLE children (a int NOT NULL REFERENCES parents);
CREATE TABLE held (a int);
-- so many rounds, not so long: it takes a core's time, however many share it
CREATE FUNCTION work(rounds int) RETURNS void LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1..rounds LOOP END LOOP; END $$;
GRANT ALL ON busy, hot, parents, children, held TO bench;
SQL
    loops=$(ask <<'SQL'
DO $$ DECLARE began timestamptz; BEGIN
    PERFORM work(1000000);
    began := clock_timestamp();
    PERFORM work(3000000);
    PERFORM set_config('bench.loops', round(3000 / extract(epoch FROM clock_timestamp() - began))::text, false);
END $$;
SELECT current_setting('bench.loops');
SQL
    )
    WORK_ROUNDS=$((loops * WORK_MS))
}

bench_script() { as_user tee "$WORK/tmp/$1.sql" >/dev/null; }

# queue_tps CLIENTS SCRIPT...: transactions per second; those that fail in a deadlock are done again
queue_tps() {
    local clients=$1 script
    local -a files=()
    shift
    for script in "$@"; do files+=(-f "$WORK/tmp/$script.sql"); done
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -U bench -n -M prepared -c "$clients" -j "$clients" \
        -T "$QUEUE_SECONDS" --max-tries=1000 "${files[@]}" postgres 2>"$WORK/queue.err" | sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}

# in_turn NUMBER WORD...: the words, or the other way round for an even number
in_turn() {
    local number=$1
    shift
    if ((number % 2)); then printf '%s\n' "$@"; else printf '%s\n' "$@" | tac; fi
}

divide() { awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.2f", a / b; else printf "-" }'; }

# times of ALTER TABLE on the table that everybody reads, in ms, one a line
alter_milliseconds() {
    local n
    for n in $(seq 5); do
        printf 'ALTER TABLE busy ADD COLUMN c%s int;\nSELECT pg_sleep(0.1) \\g /dev/null\nALTER TABLE busy DROP COLUMN c%s;\n' "$n" "$n"
    done | ask -c '\timing on' -f - | awk '/^Time:/ && ++n % 3 != 2 { print $2 }'
}

bench_ddl() {
    local clients limit round none some
    start_queue_server
    printf 'BEGIN;\nSELECT sum(n) FROM busy;\nSELECT max(a) FROM busy;\nEND;\n' | bench_script ddl_block
    printf 'SELECT sum(n) FROM busy;\n' | bench_script ddl_single
    say ''
    say "ddl: ms of ALTER TABLE (10 in each round, by a superuser) on the table that all clients read, $QUEUE_ROUNDS rounds in turn"
    printf '%8s %8s %10s %10s %16s\n' clients limit median most 'median / no gate'
    for clients in $DDL_CLIENTS; do
        rm -f "$WORK"/alter.*
        for round in $(seq "$QUEUE_ROUNDS"); do
            # shellcheck disable=SC2086 # a list of words
            for limit in $(in_turn "$round" off $DDL_LIMITS); do
                set_server_max_active "$limit"
                start_child "$PG_BIN/pgbench" -h "$WORK/tmp" -U bench -n -M prepared -c "$clients" -j "$clients" -T 600 \
                    -f "$WORK/tmp/ddl_block.sql" -f "$WORK/tmp/ddl_single.sql" postgres >/dev/null 2>&1
                until [ "$(ask -c "SELECT count(*) FROM pg_stat_activity WHERE usename = 'bench'")" = "$clients" ]; do sleep 0.1; done
                alter_milliseconds >>"$WORK/alter.$limit"
                # shellcheck disable=SC2153 # start_child sets it
                stop_child "$CHILD"
                until [ "$(ask -c "SELECT count(*) FROM pg_stat_activity WHERE usename = 'bench'")" = 0 ]; do sleep 0.1; done
            done
        done
        none=$(median <"$WORK/alter.off")
        for limit in off $DDL_LIMITS; do
            some=$(median <"$WORK/alter.$limit")
            printf '%8d %8s %10.1f %10.1f %16s\n' "$clients" "$limit" "$some" "$(sort -g "$WORK/alter.$limit" | tail -n 1)" "$(divide "$some" "$none")"
            if [ "$limit" != off ]; then
                headline "ALTER TABLE beside $clients clients, limit $limit: ms" "$some" "$none without a limit"
            fi
        done
    done
    control_server queue stop
}

# hold_slots KIND COUNT: sessions that do nothing, under the limit
hold_slots() {
    local n sql='SELECT pg_sleep(10000)'
    if [ "$1" = copy ]; then sql='COPY held FROM STDIN'; fi
    for n in $(seq "$2"); do
        # shellcheck disable=SC2016 # the inner shell expands it
        start_child sh -c 'sleep 10000 | "$1" -Xq -h "$2" -U bench -c "$3" postgres' hold "$PG_BIN/psql" "$WORK/tmp" "$sql" >/dev/null 2>&1
    done
    until [ "$(ask -c "SELECT count(*) FROM pg_stat_activity WHERE usename = 'bench' AND query = '$sql' AND wait_event IN ('PgSleep', 'ClientRead')")" = "$2" ]; do
        ask -c 'SELECT pg_stat_clear_snapshot()' >/dev/null
        sleep 0.1
    done
    ask -c 'SELECT pg_sleep(0.3)' >/dev/null
}

let_slots_go() {
    local child
    for child in "${CHILDREN[@]}"; do stop_child "$child"; done
    CHILDREN=()
    ask -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bench'" >/dev/null
    until [ "$(ask -c "SELECT count(*) FROM pg_stat_activity WHERE usename = 'bench'")" = 0 ]; do sleep 0.1; done
}

bench_holders() {
    local kind holders round limit first=''
    start_queue_server
    printf 'SELECT work(%s);\n' "$WORK_ROUNDS" | bench_script holders
    say ''
    say "holders: tps of 40 clients with transactions of $WORK_MS ms of a core, beside sessions that do nothing; limit $HOLDERS_LIMIT and off, in turn"
    printf '%8s %8s %12s %10s %10s %16s\n' kind holders "limit $HOLDERS_LIMIT" off ratio 'of no holders'
    for kind in $HOLDER_KINDS; do
        first=
        for holders in $HOLDERS; do
            rm -f "$WORK"/holders.*
            for round in $(seq "$QUEUE_ROUNDS"); do
                for limit in $(in_turn "$round" "$HOLDERS_LIMIT" off); do
                    # with a limit, more of them than that come in one after the other
                    set_server_max_active off
                    hold_slots "$kind" "$holders"
                    let_slots_go
                    set_server_max_active "$limit"
                    hold_slots "$kind" "$holders"
                    queue_tps 40 holders >>"$WORK/holders.$limit"
                    let_slots_go
                done
            done
            limit=$(median <"$WORK/holders.$HOLDERS_LIMIT")
            first=${first:-$limit}
            printf '%8s %8d %12.0f %10.0f %10s %16s\n' "$kind" "$holders" "$limit" "$(median <"$WORK/holders.off")" \
                "$(divide "$limit" "$(median <"$WORK/holders.off")")" "$(divide "$limit" "$first")"
            headline "limit $HOLDERS_LIMIT beside $holders sessions in $kind: tps" "$limit" "$first beside none, $(median <"$WORK/holders.off") without a limit"
        done
    done
    set_server_max_active off
    control_server queue stop
}

thrash_scripts() {
    printf '\\set a random(1, 10)\nBEGIN;\nUPDATE hot SET n = n + 1 WHERE a = :a;\nSELECT work(%s);\nEND;\n' "$((WORK_ROUNDS / 4))" | bench_script hot
    printf '\\set a random(1, 20)\n\\set b random(1, 20)\nBEGIN;\nUPDATE hot SET n = n + 1 WHERE a = :a;\nSELECT work(%s);\nUPDATE hot SET n = n + 1 WHERE a = :b;\nEND;\n' \
        "$((WORK_ROUNDS / 4))" | bench_script order
    printf '\\set a random(1, 5)\nBEGIN;\nINSERT INTO children VALUES (:a);\nUPDATE parents SET n = n + 1 WHERE a = :a;\nEND;\n' | bench_script parents
}

# thrash_variant LOAD VARIANT CLIENTS: a run in turn; N clients:L is a limit
thrash_variant() {
    local clients=${2%:*} limit=${2#*:}
    set_server_max_active "$limit"
    queue_tps "$clients" "$1" >>"$WORK/thrash.$2"
    ask -c 'TRUNCATE children' -c 'VACUUM hot' -c 'VACUUM parents' >/dev/null
}

bench_thrash() {
    local load clients limit round variant all few some
    start_queue_server
    thrash_scripts
    say ''
    say 'thrash: tps where all want the same rows (order: two of 20 rows in any order, which deadlocks), against as many clients'
    say 'without a limit, and against as many as the limit lets in'
    printf '%8s %8s %8s %10s %10s %10s %12s %12s\n' load clients limit tps 'no limit' 'so few' '/ no limit' '/ so few'
    for load in $THRASH_LOADS; do
        for clients in $THRASH_CLIENTS; do
            rm -f "$WORK"/thrash.*
            variant="$clients:off"
            for limit in $THRASH_LIMITS; do variant="$variant $clients:$limit $limit:off"; done
            for round in $(seq "$QUEUE_ROUNDS"); do
                # shellcheck disable=SC2086 # a list of words
                for some in $(in_turn "$round" $variant); do thrash_variant "$load" "$some"; done
            done
            all=$(median <"$WORK/thrash.$clients:off")
            for limit in $THRASH_LIMITS; do
                some=$(median <"$WORK/thrash.$clients:$limit")
                few=$(median <"$WORK/thrash.$limit:off")
                printf '%8s %8d %8d %10.0f %10.0f %10.0f %12s %12s\n' "$load" "$clients" "$limit" "$some" "$all" "$few" "$(divide "$some" "$all")" "$(divide "$some" "$few")"
                headline "$load, $clients clients, limit $limit: tps" "$some" "$all without, $few with $limit clients"
            done
        done
    done
    set_server_max_active off
    control_server queue stop
}

bench_gaps() {
    local gap limit round off some
    start_queue_server
    say ''
    say "gaps: tps of 60 clients with BEGIN, a pause of the client, $WORK_MS ms of a core, END; with a limit and without, in turn"
    printf '%8s %8s %10s %10s %8s\n' 'gap, ms' limit tps off ratio
    for gap in $GAPS_MS; do
        {
            say 'BEGIN;'
            if [ "$gap" != 0 ]; then say "\\sleep $gap ms"; fi
            printf 'SELECT work(%s);\nEND;\n' "$WORK_ROUNDS"
        } | bench_script gaps
        rm -f "$WORK"/gaps.*
        for round in $(seq "$QUEUE_ROUNDS"); do
            # shellcheck disable=SC2086 # a list of words
            for limit in $(in_turn "$round" off $GAPS_LIMITS); do
                set_server_max_active "$limit"
                queue_tps 60 gaps >>"$WORK/gaps.$limit"
            done
        done
        off=$(median <"$WORK/gaps.off")
        for limit in $GAPS_LIMITS; do
            some=$(median <"$WORK/gaps.$limit")
            printf '%8d %8d %10.0f %10.0f %8s\n' "$gap" "$limit" "$some" "$off" "$(divide "$some" "$off")"
            headline "a pause of $gap ms after BEGIN, limit $limit: tps" "$some" "$off without a limit"
        done
    done
    set_server_max_active off
    control_server queue stop
}
