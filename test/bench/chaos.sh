# chaos.sh: 300 clients behind a gate while everything around them changes.
#
# Money is moved between accounts; sessions are killed and cancelled, statements time
# out, limits, roles and tables change. At the end nobody may be stuck, no turn lost, no
# error unexplained, and the money must add up. Sourced by run.sh.
# shellcheck shell=bash

CHAOS_SECONDS=${CHAOS_SECONDS:-1800}
CHAOS_GROUPS=30                 # of ten clients each

# What killing, cancelling, timeouts and changed tables may say to a client.
CHAOS_ALLOWED='terminating connection due to administrator command|canceling statement due to (user request|statement timeout|lock timeout)|server closed the connection unexpectedly|This probably means the server terminated abnormally|before or while processing the request|deadlock detected|cached plan must not change result type|could not (receive|send) data (from|to) (client|server)|connection to server was lost|no connection to the server|could not serialize access|SQL command send failed'

fill_chaos() {
    ask >/dev/null <<'SQL'
CREATE EXTENSION pool_advisor;
CREATE ROLE bench LOGIN;
CREATE ROLE tellers;
GRANT ALL ON SCHEMA public TO bench;
SET ROLE bench;
CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL DEFAULT 0);
INSERT INTO accounts SELECT generate_series(1, 1000);
CREATE TABLE log (id int);
CREATE FUNCTION move(a int, b int) RETURNS void LANGUAGE sql AS $$
    SELECT FROM accounts WHERE id IN (a, b) ORDER BY id FOR UPDATE;
    UPDATE accounts SET balance = balance + CASE id WHEN a THEN -1 ELSE 1 END WHERE id IN (a, b) AND a <> b $$;
CREATE PROCEDURE move_often(a int, b int) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..5 LOOP PERFORM move(a, b); COMMIT; END LOOP;
END $$;
SQL
    printf '\\set a random(1, 1000)\n\\set b random(1, 1000)\n' >"$WORK/chaos_head"
    {
        cat "$WORK/chaos_head"
        printf 'BEGIN;\nSELECT move(:a, :b);\nEND;\n'
    } | as_user tee "$WORK/tmp/chaos_block.sql" >/dev/null
    {
        cat "$WORK/chaos_head"
        printf 'SELECT move(:a, :b);\n'
    } | as_user tee "$WORK/tmp/chaos_single.sql" >/dev/null
    {
        cat "$WORK/chaos_head"
        printf 'BEGIN;\nSELECT move(:a, :b);\n\\sleep 60 ms\nSELECT move(:b, :a);\nROLLBACK;\n'
    } | as_user tee "$WORK/tmp/chaos_idle.sql" >/dev/null
    {
        cat "$WORK/chaos_head"
        printf 'CALL move_often(:a, :b);\n'
    } | as_user tee "$WORK/tmp/chaos_call.sql" >/dev/null
    printf 'BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT 1 / (sum(balance) = 0)::int FROM accounts;\nEND;\nSELECT 1 / (sum(balance) = 0)::int FROM accounts;\n' |
        as_user tee "$WORK/tmp/chaos_sum.sql" >/dev/null
}

# Ten clients, again and again until the time is over; who was killed comes back.
chaos_clients() {
    local number=$1 mode until=$2
    case $((number % 3)) in 0) mode=simple ;; 1) mode=extended ;; 2) mode=prepared ;; esac
    while [ "$(date +%s)" -lt "$until" ]; do
        "$PG_BIN/pgbench" -h "$WORK/tmp" -U bench -n -M "$mode" -c 10 -j 2 -T 10 \
            -f "$WORK/tmp/chaos_block.sql@4" -f "$WORK/tmp/chaos_single.sql@4" -f "$WORK/tmp/chaos_idle.sql@1" \
            -f "$WORK/tmp/chaos_call.sql@1" -f "$WORK/tmp/chaos_sum.sql@1" postgres >/dev/null 2>>"$WORK/tmp/chaos_$number.err"
    done
}

# Lines about errors that no event accounts for. A statement that was cancelled while it was
# prepared is missing afterwards. What pgbench says after the cause, of which it tells in a line
# of its own, is left out.
unexplained() {
    cat "$WORK"/tmp/chaos_[0-9]*.err | grep -E 'ERROR|FATAL|PANIC|error' |
        grep -Ev "$CHAOS_ALLOWED|Run was aborted|perhaps the backend died|could not create connection for client [0-9]+$|prepared statement \"P_[0-9]+\" does not exist" || true
}

pick() { local list=("$@"); printf '%s' "${list[RANDOM % ${#list[@]}]}"; }

# One thing happens. What needs a strong lock gives up soon: pgbench prepares statements in a
# thread that serves other clients too, and one of these may hold what it waits for.
chaos_event() {
    local some="pid FROM pg_stat_activity WHERE usename = 'bench' ORDER BY random() LIMIT"
    case $((RANDOM % 12)) in
        0) printf 'SELECT pg_terminate_backend(pid) FROM (SELECT %s 3) AS chosen;\n' "$some" ;;
        1 | 2) printf 'SELECT pg_cancel_backend(pid) FROM (SELECT %s 5) AS chosen;\n' "$some" ;;
        3 | 4 | 5) printf "ALTER SYSTEM SET pool_advisor.server_max_active = '%s';\nSELECT pg_reload_conf();\n" "$(pick 1 2 4 8 16 64 auto off)" ;;
        6) printf "ALTER SYSTEM SET pool_advisor.enforcement = '%s';\nSELECT pg_reload_conf();\n" "$(pick on on on observe off)" ;;
        7) printf "ALTER ROLE bench SET pool_advisor.max_active = %s;\n" "$(pick -1 1 3 10)" ;;
        8) printf "ALTER ROLE bench SET statement_timeout = '%s';\n" "$(pick 0 0 200ms 2s)" ;;
        9) printf 'SET lock_timeout = %s;\nALTER TABLE accounts %s;\n' "'1s'" "$(pick 'ADD COLUMN IF NOT EXISTS extra int' 'DROP COLUMN IF EXISTS extra')" ;;
        10) printf "SET lock_timeout = '1s';\n" && pick 'VACUUM accounts;' 'CREATE INDEX IF NOT EXISTS extra ON accounts (balance);' 'DROP INDEX IF EXISTS extra;' 'REINDEX TABLE accounts;' ;;
        11) printf "%s;\nALTER ROLE tellers SET pool_advisor.max_active = %s;\n" "$(pick 'GRANT tellers TO bench' 'REVOKE tellers FROM bench')" "$(pick -1 2 20)" ;;
    esac
}

bench_chaos() {
    local until number problems left
    local -a clients
    start_server chaos "shared_preload_libraries = 'pool_advisor'" 'max_connections = 400' 'shared_buffers = 256MB' \
        'max_wal_size = 4GB' 'deadlock_timeout = 1s'
    fill_chaos
    until=$(($(date +%s) + CHAOS_SECONDS))
    clients=()
    for number in $(seq "$CHAOS_GROUPS"); do
        as_user bash -c "$(declare -f chaos_clients); PG_BIN='$PG_BIN' WORK='$WORK' chaos_clients $number $until" &
        clients+=($!)
    done
    while [ "$(date +%s)" -lt "$until" ]; do
        chaos_event | as_user "$PG_BIN/psql" -X -q -h "$WORK/tmp" >/dev/null 2>>"$WORK/tmp/chaos_actor.err" || true
        sleep 0.$((RANDOM % 4))
    done
    ask -c "ALTER SYSTEM SET pool_advisor.enforcement = 'on'" -c "ALTER SYSTEM SET pool_advisor.server_max_active = 4" \
        -c 'ALTER ROLE bench RESET ALL' -c 'ALTER ROLE tellers RESET ALL' -c 'SELECT pg_reload_conf()' >/dev/null
    wait "${clients[@]}" || true
    problems=$(unexplained | wc -l)
    left=$(ask -c 'SELECT max(running) + sum(waiting) FROM pool_advisor.gate')
    say ''
    say "chaos: 300 clients for $CHAOS_SECONDS s"
    say "errors that nothing explains: $problems"
    unexplained | sort | uniq -c | sort -rn | head -5
    say "turns and waits left when all clients are gone: $left"
    headline "chaos for $CHAOS_SECONDS s: errors unexplained, turns left, balance" \
        "$problems, $left, $(ask -c 'SELECT sum(balance) FROM accounts')" '0, 0, 0'
    say "sum of all balances: $(ask -c 'SELECT sum(balance) FROM accounts')"
    say "the server: $(grep -Ec 'PANIC|was terminated by signal|TRAP' "$WORK/tmp/chaos.log" || true) crashes"
    psql_do -x -c 'SELECT scope, rolname, waited_total, cancelled_total, granted_total, suspended_total, overcommitted_total FROM pool_advisor.gate'
    say 'afterwards, with a limit of 4 and no chaos:'
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -U bench -n -c 100 -j 20 -T 10 -f "$WORK/tmp/chaos_block.sql" postgres 2>&1 | grep -E 'actually processed|failed|tps|ERROR|abort'
    control_server chaos stop
}
