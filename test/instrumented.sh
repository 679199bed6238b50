#!/usr/bin/env bash
# The suite on a PostgreSQL that checks itself, built from Debian's source.
#
#     instrumented.sh assertions    with --enable-cassert
#     instrumented.sh sanitizers    with assertions, AddressSanitizer and UBSan, in
#                              the server, its clients and the extension
#     instrumented.sh valgrind      with assertions; the cases of pg_regress and a short
#                              TAP file, each process of the server under memcheck
#
# A build takes some minutes; SERVER_CACHE=FOLDER keeps it there for the next
# time. SERVER_VERSION is 15, or what else this Debian has as source. SUITES
# and PROVE_TESTS are as in run.sh.
# shellcheck source=test/private_server.sh
source "$(dirname "${BASH_SOURCE[0]}")/private_server.sh"

KIND=${1:-}
VERSION=${SERVER_VERSION:-15}
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Extensions of others that tests load beside ours.
MODULES='pg_stat_statements auto_explain auth_delay postgres_fdw dblink'

# With USE_VALGRIND the server tells memcheck what palloc gave out; it does no harm
# without. What is undefined ends the process, in the server too.
SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all'

# What is needed to build a server.
need_compiler() {
    local missing=() package wanted=(gcc libc6-dev make perl libipc-run-perl util-linux procps valgrind)
    if [ "$VERSION" -ge 17 ]; then wanted+=(bison flex); fi
    for package in "${wanted[@]}"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"
}

# Debian's source, of the same archives as its packages, without a change in
# what apt knows.
fetch_server() {
    local folder=$WORK/server version tarball
    mkdir -p "$folder" "$WORK/lists/partial"
    # shellcheck disable=SC2016 # apt-get expands it
    apt_targets 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' >"$WORK/sources.list"
    apt_privately() {
        local tool=$1
        shift
        "apt-$tool" -qq -o Dir::Etc::sourcelist="$WORK/sources.list" -o Dir::Etc::sourceparts=- \
            -o Dir::State::lists="$WORK/lists" -o APT::Sandbox::User=root "$@" 2>>"$WORK/apt.log"
    }
    apt_privately get update || true

    # the newest that the archive really has
    for version in $(apt_privately cache showsrc --only-source "postgresql-$VERSION" |
        sed -n 's/^Version: //p' | sort -rV -u); do
        if (cd "$folder" && apt_privately get source --download-only --tar-only \
            "postgresql-$VERSION=$version" >>"$WORK/apt.log"); then break; fi
    done
    tarball=$(find "$folder" -name '*.orig.tar.*' ! -name '*.asc' | head -n 1)
    if [ -z "$tarball" ]; then
        tail -n 20 "$WORK/apt.log" >&2
        fail "could not get the source of postgresql-$VERSION"
    fi
    tar -x -C "$folder" --strip-components=1 -f "$tarball"
}

# build_server FOLDER FLAG...: configured, built and installed there
build_server() {
    local folder=$1
    shift
    say "== building PostgreSQL $VERSION: $*"
    fetch_server
    mkdir -p "$folder"
    give_to_user "$WORK" "$folder"

    # below another make the server's does not make its generated headers
    # shellcheck disable=SC2016 # the inner shell expands it
    if ! run_child env -u MAKELEVEL -u MAKEFLAGS -u MFLAGS ASAN_OPTIONS=detect_leaks=0 bash -c '
        cd "$1" && ./configure -q --prefix="$2" --enable-cassert --enable-debug --enable-tap-tests \
            --without-readline --without-zlib --without-icu CFLAGS="-O1 -g -fno-omit-frame-pointer $3" &&
            make -s -j "$(nproc)" && make -s install &&
            for module in $4; do make -s -C "contrib/$module" install || exit 1; done &&
            touch "$2/ready"' \
        build "$WORK/server" "$folder" "$*" "$MODULES" >"$WORK/server.log" 2>&1; then
        tail -n 40 "$WORK/server.log" >&2
        fail 'could not build the server'
    fi
    cp "$WORK/server/src/tools/valgrind.supp" "$folder/"
    rm -rf "$WORK/server"
}

# need_server KIND FLAG...: sets SERVER; one that was kept before it had these modules is built anew
need_server() {
    SERVER=${SERVER_CACHE:-$WORK}/postgresql-$VERSION-$1
    shift
    if [ ! -e "$SERVER/ready" ] || [ ! -e "$SERVER/lib/${MODULES##* }.so" ]; then
        build_server "$SERVER" "$@"
    fi
    say "== $("$SERVER/bin/postgres" --version), $KIND"
}

run_suites() { PG_CONFIG=$1/bin/pg_config bash "$TOP/test/run.sh"; }

# A copy of the server whose postgres is one under memcheck, but where it only
# makes a cluster or tells its version.
put_under_memcheck() {
    cp -a "$SERVER" "$1"
    mv "$1/bin/postgres" "$1/bin/postgres.real"
    cat >"$1/bin/postgres" <<EOF
#!/bin/sh
real=\$(dirname "\$(readlink -f "\$0")")/postgres.real
case \${1:-} in
    -V | --version | --boot | --single | --check | -C) exec "\$real" "\$@" ;;
esac
exec valgrind --quiet --trace-children=yes --track-origins=yes --leak-check=no --time-stamp=yes \\
    --read-var-info=no --suppressions=$1/valgrind.supp --log-file=$WORK/memcheck/%p "\$real" "\$@"
EOF
    chmod 755 "$1/bin/postgres"
}

# The logs are empty but for what was found, and what valgrind itself does not know.
count_findings() {
    local processes
    processes=$(find "$WORK/memcheck" -type f | wc -l)
    FINDINGS=$(find "$WORK/memcheck" -type f -exec cat {} + |
        grep -cE 'Invalid |uninitialised|overlap|definitely lost' || true)
    say "memcheck looked at $processes processes: $FINDINGS findings"
    if [ "$FINDINGS" != 0 ]; then
        find "$WORK/memcheck" -size +0 -exec head -n 60 {} + | head -n 300
    elif [ "$processes" = 0 ]; then
        say 'memcheck DID NOT RUN, which counts as one that failed'
        FINDINGS=1
    fi
}

# add_findings LINE STATUS: the suites' last line, with each finding as a case that failed;
# a run that ended otherwise has failed too
add_findings() {
    local counts
    counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' <<<"$1")
    if [ -z "$counts" ]; then
        say "$1"
        counts='0 1'
    fi
    if [ "$2" != 0 ] && [ "${counts#* }" = 0 ]; then counts="${counts% *} 1"; fi
    say "${counts% *} passed, $((${counts#* } + FINDINGS)) failed"
    [ $((${counts#* } + FINDINGS)) = 0 ]
}

case $KIND in
    assertions | sanitizers | valgrind) ;;
    *) fail 'say what: assertions, sanitizers or valgrind' ;;
esac
command -v apt-get >/dev/null || fail 'needs Debian, or one of its kin: there is no apt-get'
make_work_folder
need_compiler
if [ -n "${SERVER_CACHE:-}" ]; then
    mkdir -p "$SERVER_CACHE"
    SERVER_CACHE=$(cd "$SERVER_CACHE" && pwd)
fi
case $KIND in
    assertions)
        need_server assertions -DUSE_VALGRIND
        run_suites "$SERVER"
        ;;
    sanitizers)
        # What was freed is given back soon, or the worker would seem to grow; of the
        # stack nothing is kept, as the server measures its depth.
        export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:disable_coredump=0
        ASAN_OPTIONS+=:detect_stack_use_after_return=0:quarantine_size_mb=1:thread_local_quarantine_size_kb=16
        export UBSAN_OPTIONS=print_stacktrace=1:abort_on_error=1
        need_server sanitizers "$SANITIZE"
        run_suites "$SERVER"
        ;;
    valgrind)
        need_server assertions -DUSE_VALGRIND
        mkdir "$WORK/memcheck"
        give_to_user "$WORK"
        put_under_memcheck "$WORK/memchecked"
        status=0
        PGCTLTIMEOUT=600 PG_TEST_TIMEOUT_DEFAULT=900 SUITES=${SUITES:-regress tap} \
            PROVE_TESTS=${PROVE_TESTS:-test/t/034_gate_once.pl} run_suites "$WORK/memchecked" |
            tee "$WORK/suites.log" | sed '$d' || status=$?
        count_findings
        add_findings "$(tail -n 1 "$WORK/suites.log")" "$status"
        ;;
esac
