# limits.sh: what limits on sessions cost.
#
# Sourced by run.sh, which has the tools used here.
# shellcheck shell=bash

# Twenty limits that a login of app is looked up in: roles, groups, databases.
set_twenty_limits() {
    ask >/dev/null <<'SQL'
SELECT pool_advisor.set_limit('app', max_sessions => 5000);
SELECT pool_advisor.set_limit(database => 'postgres', max_sessions => 5000);
SELECT pool_advisor.set_limit('app', 'postgres', max_sessions => 5000);
DO $$ BEGIN
FOR i IN 1..5 LOOP
    PERFORM pool_advisor.set_limit('team' || i, max_sessions => 5000);
END LOOP;
FOR i IN 1..12 LOOP
    PERFORM pool_advisor.set_limit('other' || i, max_sessions => 5);
END LOOP; END $$;
SQL
    until [ "$(ask -c 'SELECT count(*) FROM pool_advisor.limits')" = 20 ]; do sleep 0.1; done
}

clear_all_limits() {
    ask >/dev/null <<'SQL'
ALTER ROLE app RESET ALL; ALTER DATABASE postgres RESET ALL; ALTER ROLE app IN DATABASE postgres RESET ALL;
DO $$ DECLARE r name; BEGIN
FOR r IN SELECT rolname FROM pg_roles WHERE rolname ~ '^(team|other)[0-9]' LOOP
    EXECUTE format('ALTER ROLE %I RESET ALL', r);
END LOOP; END $$;
SQL
    until [ "$(ask -c 'SELECT count(*) FROM pool_advisor.limits')" = 0 ]; do sleep 0.1; done
}

# A server with 1000 sessions of app, which is a member of five nested groups.
start_limits_server() {
    start_server limits "shared_preload_libraries = 'pool_advisor'" 'max_connections = 1200' 'autovacuum = off'
    ask >/dev/null <<'SQL'
CREATE EXTENSION pool_advisor;
CREATE ROLE app LOGIN;
DO $$ BEGIN
FOR i IN 1..5 LOOP
    EXECUTE format('CREATE ROLE team%s ROLE %s', i, CASE i WHEN 1 THEN 'app' ELSE 'team' || i - 1 END);
END LOOP;
FOR i IN 1..12 LOOP
    EXECUTE format('CREATE ROLE other%s', i);
END LOOP; END $$;
SQL
}

# What the server itself says of each login at DEBUG2, in microseconds.
logins_microseconds() {
    local from
    from=$(wc -c <"$WORK/tmp/limits.log")
    printf 'SELECT 1;\n' | as_user tee "$WORK/tmp/one.sql" >/dev/null
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -U app -n -C -c 1 -t 300 -f "$WORK/tmp/one.sql" postgres >/dev/null 2>&1
    tail -c +"$((from + 1))" "$WORK/tmp/limits.log" |
        sed -n 's/.*pool_advisor admitted role "app" after \([0-9.]*\) us.*/\1/p' | median
}

bench_check() {
    local none twenty
    start_limits_server
    hold_sessions 1000 app
    ask -c 'ALTER SYSTEM SET log_min_messages = debug2' -c 'SELECT pg_reload_conf()' >/dev/null
    say ''
    say 'check: time in the hook at login, with 1000 sessions (log_min_messages = debug2, median of 300'
    say 'logins; it looks the role up in the cache that core reads next)'
    none=$(logins_microseconds)
    say "  no limit:   $none us"
    set_twenty_limits
    twenty=$(logins_microseconds)
    say "  20 limits:  $twenty us, 8 of them on the session that logs in"
    headline 'login, no limit and 20 limits, 1000 sessions inside' "$none, $twenty us" 'time in the hook, by the server'
    ask -c 'ALTER SYSTEM RESET log_min_messages' -c 'SELECT pg_reload_conf()' >/dev/null
    clear_all_limits
    release_sessions
    control_server limits stop
}

connections_per_second() {
    local port=$1
    as_user "$WORK/tmp/storm" "host=$WORK/tmp port=$port user=app dbname=postgres" 2 "$SECONDS_EACH" | cut -d ' ' -f 1
}

# Three servers in turn, the order changing.
bench_logins() {
    local round port
    build_storm
    PGPORT=54330 start_server without 'port = 54330'
    PGPORT=54331 start_server none "shared_preload_libraries = 'pool_advisor'" 'port = 54331'
    PGPORT=54330 ask -c 'CREATE ROLE app LOGIN' >/dev/null
    PGPORT=54331 ask -c 'CREATE ROLE app LOGIN' >/dev/null
    start_limits_server
    set_twenty_limits
    say ''
    say "logins: connections per second (storm, 2 processes, $SECONDS_EACH s), in turn"
    printf '%8s %18s %18s %18s\n' round 'without library' 'no limit' '20 limits'
    for port in 54330 54331 "$PGPORT"; do : >"$WORK/logins.$port"; done
    for round in $(seq "$PAIRS"); do
        for port in $(printf '54330 54331 %s\n54331 %s 54330\n%s 54330 54331\n' "$PGPORT" "$PGPORT" "$PGPORT" |
            sed -n "$((round % 3 + 1))p"); do
            connections_per_second "$port" >>"$WORK/logins.$port"
        done
        printf '%8s %18s %18s %18s\n' "$round" "$(tail -n 1 "$WORK/logins.54330")" \
            "$(tail -n 1 "$WORK/logins.54331")" "$(tail -n 1 "$WORK/logins.$PGPORT")"
    done
    printf '%8s %18s %18s %18s\n' median "$(median <"$WORK/logins.54330")" \
        "$(median <"$WORK/logins.54331")" "$(median <"$WORK/logins.$PGPORT")"
    headline 'connections per second with 20 limits' "$(median <"$WORK/logins.$PGPORT")" \
        "$(median <"$WORK/logins.54330") without the library, in turn"
    PGPORT=54330 control_server without stop
    PGPORT=54331 control_server none stop
    control_server limits stop
}

build_storm() {
    as_user gcc -O2 -std=gnu99 -I"$("$PG_CONFIG" --includedir)" "$WORK/source/test/bench/storm.c" \
        -L"$("$PG_CONFIG" --libdir)" -lpq -o "$WORK/tmp/storm"
}

# tps of those inside, and refusals a second, while a storm rages
under_storm() {
    local inside refused
    start_child "$WORK/tmp/storm" "host=$WORK/tmp user=app dbname=postgres" 8 "$((SECONDS_EACH + 2))" >"$WORK/storm.out"
    sleep 1
    inside=$(as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -U inside -n -M prepared -S -c 4 -j 1 -T "$SECONDS_EACH" postgres 2>/dev/null |
        sed -n 's/^tps = \([0-9.]*\).*/\1/p')
    wait "$CHILD"
    refused=$(cut -d ' ' -f 2 "$WORK/storm.out")
    printf '%s %s\n' "$inside" "$refused"
}

bench_storm() {
    local pair ours core
    build_storm
    start_server storm "shared_preload_libraries = 'pool_advisor'" 'shared_buffers = 256MB' 'log_min_messages = panic'
    ask -c 'CREATE EXTENSION pool_advisor' -c 'CREATE ROLE app LOGIN' -c 'CREATE ROLE inside LOGIN SUPERUSER'
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -i -q -s 10 postgres >/dev/null 2>&1
    say ''
    say "storm: 8 processes that are refused all the time, and pgbench -S -c 4 inside for $SECONDS_EACH s; our limit of 0"
    say 'against CONNECTION LIMIT 0, in turn'
    printf '%6s %12s %12s %14s %14s %8s\n' pair 'tps, ours' 'tps, core' 'refused/s ours' 'refused/s core' ratio
    : >"$WORK/ratios"
    for pair in $(seq "$PAIRS"); do
        ask -c 'ALTER ROLE app CONNECTION LIMIT -1' -c "SELECT pool_advisor.set_limit('app', max_sessions => 0)" >/dev/null
        until [ "$(ask -c "SELECT max_sessions FROM pool_advisor.limits WHERE rolname = 'app'")" = 0 ]; do sleep 0.1; done
        ours=$(under_storm)
        ask -c "SELECT pool_advisor.clear_limit('app')" -c 'ALTER ROLE app CONNECTION LIMIT 0' >/dev/null
        until [ "$(ask -c "SELECT count(*) FROM pool_advisor.limits")" = 0 ]; do sleep 0.1; done
        core=$(under_storm)
        awk -v o="$ours" -v c="$core" -v p="$pair" -v out="$WORK/ratios" 'BEGIN {
            split(o, a, " "); split(c, b, " ")
            printf "%6d %12.0f %12.0f %14.0f %14.0f %8.3f\n", p, a[1], b[1], a[2], b[2], a[1] / b[1]
            print a[1] / b[1] >> out }'
    done
    median_of_ratios 'throughput inside during a storm of refused logins' 'CONNECTION LIMIT, in turn'
    control_server storm stop
}

# From the commit to the view, in milliseconds, by a session that polls.
bench_effect() {
    start_server effect "shared_preload_libraries = 'pool_advisor'"
    ask -c 'CREATE EXTENSION pool_advisor' -c 'CREATE ROLE app LOGIN' >/dev/null
    say ''
    say 'effect: from the commit of ALTER ROLE ... SET until the limit is in force (100 times)'
    for i in $(seq 100); do
        printf 'ALTER ROLE app SET pool_advisor.max_sessions = %d;\nSELECT clock_timestamp() AS t \\gset\n' "$i"
        printf 'CALL until_it_is(%d);\n' "$i"
        # shellcheck disable=SC2016 # psql expands it
        printf "SELECT extract(epoch FROM clock_timestamp() - :'t') * 1000;\n"
    done | {
        printf 'CREATE PROCEDURE until_it_is(n int) LANGUAGE plpgsql AS $$ BEGIN\n'
        printf 'WHILE NOT EXISTS (SELECT FROM pool_advisor.limits WHERE max_sessions = n) LOOP\n'
        printf 'PERFORM pg_sleep(0.001); END LOOP; END $$;\n'
        cat
    } | ask >"$WORK/effect.ms"
    say "  median $(median <"$WORK/effect.ms" | awk '{ printf "%.0f", $1 }') ms, longest $(sort -g "$WORK/effect.ms" | tail -n 1 | awk '{ printf "%.0f", $1 }') ms"
    headline 'from the commit of a limit until it is in force' "$(median <"$WORK/effect.ms" | awk '{ printf "%.0f", $1 }') ms" 'median of 100'
    control_server effect stop
}
