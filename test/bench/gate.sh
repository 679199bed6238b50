# gate.sh: many clients through the gate, directly, and through PgBouncer.
#
# All variants of a row of the table run in the same server, one after the other, each
# warmed up first: with a thousand backends the first seconds are those of cold
# caches. Sourced by run.sh, which has the tools used here.
# shellcheck shell=bash

GATE_LOADS=${GATE_LOADS:-tpcb1 tpcb50 select fk}
GATE_CLIENTS=${GATE_CLIENTS:-64 256 1000}
GATE_MODES=${GATE_MODES:-simple prepared}
GATE_VARIANTS=${GATE_VARIANTS:-direct gate:4 gate:8 gate:16 auto pgbouncer:4 pgbouncer:8 pgbouncer:16}
GATE_WARM=${GATE_WARM:-15}
GATE_SECONDS=${GATE_SECONDS:-15}

# unpack_stable FOLDER PACKAGE...: of Debian's stable suite, whatever this machine runs
unpack_stable() {
    local folder=$1 apt=$WORK/stable package
    shift
    mkdir -p "$folder" "$apt/lists/partial" "$apt/cache/archives/partial"
    local -a options=(-qq -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o Dir::Etc::SourceList="$apt/sources.list"
        -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Status=/dev/null -o APT::Sandbox::User=root)
    # shellcheck disable=SC2016 # apt-get expands it
    printf 'deb %s stable main\n' "$(apt_targets '$(REPO_URI)' | grep -m 1 -v security)" >"$apt/sources.list"
    apt-get "${options[@]}" update >>"$WORK/apt.log" 2>&1 &&
        (cd "$apt" && apt-get "${options[@]}" download "$@" >>"$WORK/apt.log" 2>&1) || return 1
    for package in "$apt"/*.deb; do dpkg-deb -x "$package" "$folder"; done
}

# A command that runs PgBouncer: that of Debian's stable suite, with its own loader and libraries; where
# that cannot be had, the one of this machine's suite.
fetch_pgbouncer() {
    local folder=$WORK/bouncer libraries package
    libraries=$folder/usr/lib/$(gcc -print-multiarch)
    BOUNCER=$WORK/tmp/run_pgbouncer
    if unpack_stable "$folder" pgbouncer libc6 libevent-2.1-7t64 libcares2 libssl3t64 libpam0g libaudit1 libcap-ng0 libsystemd0 libcap2; then
        printf '#!/bin/sh\nexec %s --library-path %s %s "$@"\n' "$(printf '%s\n' "$libraries"/ld-linux*.so.*)" "$libraries" \
            "$folder/usr/sbin/pgbouncer" >"$BOUNCER"
    else
        for package in pgbouncer libevent-2.1-7 libcares2 libc-ares2; do
            unpack_package "$package" "$folder" 2>/dev/null || true
        done
        printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$libraries" "$folder/usr/sbin/pgbouncer" >"$BOUNCER"
    fi
    chmod -R a+rX "$folder"
    chmod 755 "$BOUNCER"
    "$BOUNCER" --version >/dev/null 2>&1 || BOUNCER=
}

start_bouncer() {
    printf '[databases]\n* = host=%s port=%s\n[pgbouncer]\nlisten_addr =\nlisten_port = 6433\nunix_socket_dir = %s\nauth_type = any\npool_mode = transaction\nmax_client_conn = 3000\ndefault_pool_size = %s\nlogfile = %s/pgbouncer.log\nlog_connections = 0\nlog_disconnections = 0\nignore_startup_parameters = extra_float_digits\n' \
        "$WORK/tmp" "$PGPORT" "$WORK/tmp" "$1" "$WORK/tmp" | sed 's/^\* = .*/& user=bench/' | as_user tee "$WORK/tmp/pgbouncer.ini" >/dev/null
    start_child "$BOUNCER" -q "$WORK/tmp/pgbouncer.ini"
    until [ -S "$WORK/tmp/.s.PGSQL.6433" ]; do
        kill -0 "$CHILD" 2>/dev/null || fail "pgbouncer did not start: $(tail -n 3 "$WORK/tmp/pgbouncer.log")"
        sleep 0.1
    done
}

set_server_max_active() {
    ask -c "ALTER SYSTEM SET pool_advisor.server_max_active = '$1'" -c 'SELECT pg_reload_conf()' >/dev/null
    until [ "$(ask -c "SELECT server_max_active = '$1' AND (state = 'off') = ('$1' = 'off') FROM pool_advisor.gate")" = t ]; do sleep 0.1; done
}

fill_gate() {
    ask -c 'CREATE EXTENSION pool_advisor' -c 'CREATE ROLE bench LOGIN' \
        -c 'CREATE DATABASE s1 OWNER bench' -c 'CREATE DATABASE s50 OWNER bench' >/dev/null
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -U bench -i -q -s 1 s1 >/dev/null 2>&1
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -U bench -i -q -s 50 s50 >/dev/null 2>&1
    as_user "$PG_BIN/psql" -X -q -h "$WORK/tmp" -U bench s50 <<'SQL'
CREATE TABLE parents (id int PRIMARY KEY, children int NOT NULL DEFAULT 0);
CREATE TABLE children (id bigserial PRIMARY KEY, parent int NOT NULL REFERENCES parents, n int NOT NULL);
INSERT INTO parents SELECT generate_series(1, 100);
SQL
    printf '\\set p random(1, 100)\nBEGIN;\nINSERT INTO children (parent, n) VALUES (:p, 1);\nUPDATE parents SET children = children + 1 WHERE id = :p;\nSELECT children FROM parents WHERE id = :p;\nEND;\n' |
        as_user tee "$WORK/tmp/fk.sql" >/dev/null
}

start_gate_server() {
    start_server gate "shared_preload_libraries = 'pool_advisor'" 'max_connections = 1100' \
        'shared_buffers = 2GB' 'max_wal_size = 8GB' 'checkpoint_timeout = 30min'
    fill_gate
    grep -q '^KernelPageSize: *[0-9]\{4,\} kB' "/proc/$(head -n 1 "$WORK/gate/postmaster.pid")/smaps" ||
        say '# shared memory is not in huge pages (vm.nr_hugepages); a thousand processes need them'
}

# gate_pgbench LOAD MODE CLIENTS PORT: "tps p99" after the warm-up
gate_pgbench() {
    local load=$1 mode=$2 clients=$3 port=$4 database=s50 rate=0.05 start
    local -a script
    case $load in
        tpcb1) database=s1 script=(-b tpcb-like) rate=0.3 ;;
        tpcb50) script=(-b tpcb-like) rate=0.3 ;;
        select) script=(-b select-only) ;;
        fk) script=(-f "$WORK/tmp/fk.sql") rate=0.3 ;;
        *) fail "no load \"$load\"" ;;
    esac
    as_user sh -c "rm -f $WORK/tmp/gate_log.*"
    start=$(date +%s)
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -p "$port" -U bench -n -M "$mode" -c "$clients" -j $((clients < 40 ? clients : 40)) \
        -T $((GATE_WARM + GATE_SECONDS)) -P 1 "${script[@]}" -l --sampling-rate="$rate" --log-prefix="$WORK/tmp/gate_log" "$database" \
        >"$WORK/gate.out" 2>"$WORK/gate.err" || say "# $(tail -n 1 "$WORK/gate.err")" >&2
    sed -n 's/^progress: \([0-9.]*\) s, \([0-9.]*\) tps.*/\1 \2/p' "$WORK/gate.err" |
        awk -v warm="$GATE_WARM" '$1 > warm { sum += $2; n++ } END { printf "%.0f ", n ? sum / n : 0 }'
    cat "$WORK"/tmp/gate_log.* | awk -v from=$((start + GATE_WARM)) '$5 >= from { print $3 }' | sort -n |
        awk '{ v[NR] = $1 } END { printf "%.1f\n", NR ? v[int(NR * 0.99) + (NR < 100)] / 1000 : 0 }'
}

# gate_variant VARIANT LOAD MODE CLIENTS: a row of the table
gate_variant() {
    local variant=$1 figures port=$PGPORT bouncer='' note=''
    case $variant in
        direct) set_server_max_active off ;;
        gate:*) set_server_max_active "${variant#gate:}" ;;
        auto) set_server_max_active auto ;;
        pgbouncer:*)
            [ -n "$BOUNCER" ] && [ "$3" != prepared ] || return 0
            set_server_max_active off
            start_bouncer "${variant#pgbouncer:}"
            bouncer=$CHILD port=6433
            ;;
    esac
    figures=$(gate_pgbench "$2" "$3" "$4" "$port")
    if [ -n "$bouncer" ]; then stop_child "$bouncer"; fi
    if [ "$variant" = auto ]; then note=$(ask -c "SELECT 'limit ' || max_active || ', ' || state FROM pool_advisor.gate"); fi
    printf '%-8s %-9s %7s  %-13s %9s %10s  %s\n' "$2" "$3" "$4" "$variant" "${figures% *}" "${figures#* }" "$note" | tee -a "$WORK/gate_rows"
    set_server_max_active off
}

# best_of LOAD MODE CLIENTS PATTERN: the most tps of variants like that, or -
best_of() {
    awk -v l="$1" -v m="$2" -v c="$3" -v p="$4" '$1 == l && $2 == m && $3 == c && $4 ~ p && $5 > most { most = $5; which = $4 }
        END { print (most ? most " (" which ")" : "-") }' "$WORK/gate_rows"
}

bench_gate() {
    local load mode clients variant
    fetch_pgbouncer
    [ -n "$BOUNCER" ] || say '# pgbouncer cannot be had, so that side is left out'
    start_gate_server
    say ''
    say "gate: pgbench with 40 threads at most, $GATE_SECONDS s after a warm-up of $GATE_WARM s; p99 in ms"
    say "(PgBouncer in transaction mode cannot do prepared statements of the protocol in this version)"
    printf '%-8s %-9s %7s  %-13s %9s %10s\n' load mode clients variant tps p99
    for load in $GATE_LOADS; do
        for mode in $GATE_MODES; do
            for clients in $GATE_CLIENTS; do
                for variant in $GATE_VARIANTS; do gate_variant "$variant" "$load" "$mode" "$clients"; done
                headline "gate, $load, $mode, $clients clients: tps" "$(best_of "$load" "$mode" "$clients" '^gate|^auto')" \
                    "$(best_of "$load" "$mode" "$clients" '^direct'), $(best_of "$load" "$mode" "$clients" '^pgb')"
            done
        done
    done
    control_server gate stop
}

# tps of select-only, prepared, with so many clients
select_tps() {
    as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -U bench -n -M prepared -S -c "$1" -j "$1" -T "$SECONDS_EACH" s50 2>/dev/null |
        sed -n 's/^tps = \([0-9.]*\).*/\1/p'
}

# What a gate that is never full costs.
bench_gate_cost() {
    local clients pair on off
    start_gate_server
    say ''
    say "gate_cost: select-only, prepared, $SECONDS_EACH s each, with server_max_active = 64 and off, in turn"
    printf '%8s %6s %10s %10s %8s\n' clients pair on off ratio
    for clients in 2 4 8; do
        select_tps "$clients" >/dev/null
        : >"$WORK/ratios"
        for pair in $(seq "$PAIRS"); do
            for side in $( ((pair % 2)) && echo 64 off || echo off 64); do
                set_server_max_active "$side"
                if [ "$side" = off ]; then off=$(select_tps "$clients"); else on=$(select_tps "$clients"); fi
            done
            awk -v c="$clients" -v a="$on" -v b="$off" -v p="$pair" -v out="$WORK/ratios" \
                'BEGIN { printf "%8d %6d %10.0f %10.0f %8.3f\n", c, p, a, b, a / b; print a / b >> out }'
        done
        median_of_ratios "a gate that is never full, select-only, $clients clients" 'server_max_active off, in turn'
    done
    control_server gate stop
}

# How equal 256 clients are in the last ten seconds.
bench_fairness() {
    local limit start
    start_gate_server
    say ''
    say 'fairness: 256 clients, tpcb scale 1, transactions of each in 10 s after a warm-up of 12 s'
    printf '%6s %8s %8s %8s %14s\n' limit mean least most 'least / mean'
    for limit in 2 4 16; do
        set_server_max_active "$limit"
        as_user sh -c "rm -f $WORK/tmp/gate_log.*"
        start=$(date +%s)
        as_user "$PG_BIN/pgbench" -h "$WORK/tmp" -U bench -n -M prepared -c 256 -j 40 -T 22 -l --log-prefix="$WORK/tmp/gate_log" s1 >/dev/null 2>&1
        for log in "$WORK"/tmp/gate_log.*; do awk -v from=$((start + 12)) -v file="${log##*.}" '$5 >= from { print file "/" $1 }' "$log"; done |
            sort | uniq -c | awk -v limit="$limit" '{ n++; sum += $1; if (n == 1 || $1 < least) least = $1; if ($1 > most) most = $1 }
                END { if (n < 256) least = 0; printf "%6d %8.1f %8d %8d %14.2f\n", limit, sum / 256, least, most, least / (sum / 256) }' |
            tee "$WORK/fairness.row"
        headline "256 clients, limit $limit: the least of them in 10 s" "$(awk '{ print $5 }' "$WORK/fairness.row")" 'the mean of all'
    done
    control_server gate stop
}
