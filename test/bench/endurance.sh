# endurance.sh: an hour of 500 clients, sampled every millisecond.
#
# Bankers, readers, clients that are idle in their transaction and clients that come and
# go, behind a gate, under limits with a line at login. Private memory of the worker and of
# sessions must stay as it is, and what is counted must agree with what clients say they
# did. Sourced by run.sh.
# shellcheck shell=bash

ENDURANCE_SECONDS=${ENDURANCE_SECONDS:-3600}
ENDURANCE_RATE=${ENDURANCE_RATE:-400}   # transactions per second

private_kilobytes() { awk '/^RssAnon:/ { print $2 }' "/proc/$1/status"; }

fill_endurance() {
    ask -c 'CREATE EXTENSION pool_advisor' -c 'CREATE ROLE bench LOGIN' -c 'CREATE ROLE visitor LOGIN' \
        -c 'GRANT ALL ON SCHEMA public TO bench' \
        -c 'ALTER ROLE visitor SET pool_advisor.max_sessions = 3' -c 'ALTER ROLE visitor SET pool_advisor.queue_length = 50' \
        -c 'ALTER ROLE visitor SET pool_advisor.max_active = 2' >/dev/null
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -U bench -i -q -s 10 postgres >/dev/null 2>&1
    printf 'BEGIN;\nSELECT count(*) FROM pgbench_branches;\n\\sleep 40 ms\nSELECT 1;\nEND;\n' | as_user tee "$WORK/tmp/idle.sql" >/dev/null
    printf 'SELECT 1;\n' | as_user tee "$WORK/tmp/visit.sql" >/dev/null
}

# endurance_client NAME ARGUMENT...: a pgbench in the background
endurance_client() {
    local name=$1
    shift
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -n -T "$ENDURANCE_SECONDS" "$@" postgres >"$WORK/endurance_$name.out" 2>&1 &
    ENDURANCE_CLIENTS+=($!)
}

# endurance_row WORKER SESSION...: kilobytes of each, and what the views say
endurance_row() {
    local pid kilobytes=''
    for pid in "$@"; do kilobytes+=" $(private_kilobytes "$pid")"; done
    printf '%8s %s  %s\n' "$(($(date +%s) - ENDURANCE_STARTED))" "$kilobytes" \
        "$(ask -F ' ' -c 'SELECT sessions, samples_total, round(1e6 * sample_cost_seconds::numeric, 1), sum(waited_total) FROM pool_advisor.status, pool_advisor.gate GROUP BY 1, 2, 3')"
}

bench_endurance() {
    local -a watched ENDURANCE_CLIENTS=()
    local ENDURANCE_STARTED before after said
    start_server endurance "shared_preload_libraries = 'pool_advisor'" 'max_connections = 600' 'shared_buffers = 512MB' \
        'max_wal_size = 4GB' "pool_advisor.sample_interval = '1ms'" 'pool_advisor.server_max_active = 6'
    fill_endurance
    before=$(ask -c 'SELECT transactions_total + rollbacks_total FROM pool_advisor.status')
    ENDURANCE_STARTED=$(date +%s)
    endurance_client bank -U bench -c 200 -j 4 -M prepared -b simple-update -R $((ENDURANCE_RATE / 2))
    endurance_client read -U bench -c 200 -j 4 -M extended -S -R $((ENDURANCE_RATE / 2))
    endurance_client idle -U bench -c 90 -j 4 -f "$WORK/tmp/idle.sql" -R 20
    endurance_client visit -U visitor -c 10 -j 10 -C -f "$WORK/tmp/visit.sql" -R 20
    sleep 20
    mapfile -t watched < <(ask -c "SELECT pid FROM pg_stat_activity WHERE backend_type = 'pool_advisor sampler'
        UNION ALL (SELECT pid FROM pg_stat_activity WHERE usename = 'bench' ORDER BY pid LIMIT 3)")
    say ''
    say "endurance: 500 clients for $ENDURANCE_SECONDS s, a sample every millisecond"
    say 'private memory in kB of the worker and of three sessions; sessions, samples, us of a sample, waits'
    while kill -0 "${ENDURANCE_CLIENTS[0]}" 2>/dev/null && [ -e "/proc/${watched[1]}" ]; do
        endurance_row "${watched[@]}"
        sleep $((ENDURANCE_SECONDS / 12 + 1))
    done
    wait "${ENDURANCE_CLIENTS[@]}" || true
    said=$(cat "$WORK"/endurance_*.out | awk '/actually processed/ { split($6, n, "/"); sum += n[1] } END { print sum }')
    sleep 2
    after=$(ask -c 'SELECT transactions_total + rollbacks_total FROM pool_advisor.status')
    say "transactions that clients say they did: $said; that were counted, with those of this script: $(awk -v a="$after" -v b="$before" 'BEGIN { print a - b }')"
    say "failed: $(cat "$WORK"/endurance_*.out | awk '/number of failed/ { sum += $5 } END { print sum + 0 }'); errors: $(grep -hc 'ERROR\|FATAL' "$WORK"/endurance_*.out | awk '{ s += $1 } END { print s }')"
    psql_do -x -c 'SELECT samples_total, sample_cost_seconds FROM pool_advisor.status' -c 'SELECT scope, rolname, running, waiting, waited_total, cancelled_total, suspended_total FROM pool_advisor.gate' \
        -c "SELECT rolname, sessions, queued, queued_total, refused_total FROM pool_advisor.roles WHERE rolname IN ('bench', 'visitor')"
    say "the server: $(grep -Ec 'PANIC|was terminated by signal|TRAP' "$WORK/tmp/endurance.log" || true) crashes"
    control_server endurance stop
}
