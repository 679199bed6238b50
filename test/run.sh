#!/usr/bin/env bash
# Every suite, on a private PostgreSQL; the last line is 'N passed, N failed'.
#
# SUITES="unit tap" runs some of: build lint unit fuzz regress isolation tap apps fleet load.
# PROVE_TESTS=test/t/010_worker.pl runs one TAP file. TEST_JOBS is how many run side by side, 4 if not
# given, as most of them wait. KEEP=1 keeps the folder. What was skipped is named before the last line.
# shellcheck source=test/private_server.sh
source "$(dirname "${BASH_SOURCE[0]}")/private_server.sh"

# Without SUITES all but apps, which takes as long as tap, fleet, which adds Patroni to files of tap, and
# load, which takes all cores for minutes: beside others its load would not be the cause of what is found.
ALL='build lint unit fuzz regress isolation tap apps fleet load'
APPS='065_java_pools 066_more_pools 068_drivers'
PATRONI='072_patroni'
FLEET="063_fleet 067_several_gates 069_fleet_limit $PATRONI"
LOAD='075_incident_culprits'
SUITES=${SUITES:-${ALL% apps fleet load}}
PASSED=0
FAILED=0
SKIPPED=()

# Cases in an output: TAP, or the format of pg_regress before 16. A TAP file that
# stops in the middle is a case that failed; prove says so at its end.
CASE_PASSED='^ok [0-9]+ |^(test)? +[^ ]+ +\.\.\. ok '
CASE_SKIPPED='^ok [0-9]+ (- .*)?# ?(skip|SKIP)'
CASE_FAILED='^not ok [0-9]+ |^(test)? +[^ ]+ +\.\.\. FAILED|^  Parse errors: '

# What a log says was skipped, cases and whole TAP files, with the reasons.
skipped_in() {
    awk '{ line = tolower($0) }
        match($0, /test\/t\/[^ ]*\.pl \.\./) { file = substr($0, RSTART + 7, RLENGTH - 10) ": " }
        line ~ /^ok [0-9]+ (- .*)?# ?skip/ || line ~ /^1\.\.0 # ?skip/ {
            sub(/^[^#]*# ?[A-Za-z]*:? */, ""); print file $0 }' "$1" | sort -u
}

# run_suite NAME COMMAND...: count the cases, show those that failed, remember what was
# skipped. A suite that fails without a failed case counts as one, and so does one
# that says nothing.
run_suite() {
    local name=$1 log=$WORK/$1.log status=0 passed failed skipped=() line started=$SECONDS
    shift
    say "== $name"
    run_child "$@" >"$log" 2>&1 </dev/null || status=$?
    passed=$(grep -E "$CASE_PASSED" "$log" | grep -cvE "$CASE_SKIPPED" || true)
    failed=$(grep -cE "$CASE_FAILED" "$log" || true)
    mapfile -t skipped < <(skipped_in "$log")
    if [ "$status" = 0 ] && [ "$passed$failed${#skipped[@]}" = 000 ]; then
        echo "$name ran no case" >>"$log"
        status=1
    fi
    if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
        failed=1
    fi
    PASSED=$((PASSED + passed))
    FAILED=$((FAILED + failed))
    say "   $passed passed, $failed failed, $((SECONDS - started)) s"
    for line in "${skipped[@]}"; do
        say "   skipped: $line"
        SKIPPED+=("$name: $line")
    done
    if [ "$failed" != 0 ]; then
        show_failure "$name" "$log"
    fi
}

show_failure() {
    local diffs
    grep -vE "^ *ok [0-9]+|$CASE_PASSED" "$2" | tail -n 60 || true
    for diffs in "$WORK"/source/regression.diffs "$WORK"/source/output_iso/regression.diffs; do
        case $1 in
            regress | isolation) if [ -e "$diffs" ]; then head -n 200 "$diffs"; fi ;;
        esac
    done
    case $1 in
        tap | apps | fleet) show_failed_tap "$2" ;;
    esac
}

# What the TAP files that failed say themselves: to each case that failed, and at the end.
show_failed_tap() {
    local name log
    sed -nE 's|^test/t/([^ ]*)\.pl +\(Wstat: .*|\1|p' "$1" | while read -r name; do
        log=$WORK/source/tmp_check/log/regress_log_$name
        [ -e "$log" ] || continue
        say "== $name"
        grep -A 8 -E '^(\[[^]]*\]\([^)]*\))? *not ok ' "$log" | head -n 120 || true
        say "== the end of $name"
        tail -n 15 "$log"
    done
}

# Nothing is left out without a word.
say_what_was_skipped() {
    local suite left=
    for suite in $ALL; do
        case " $SUITES " in
            *" $suite "*) ;;
            *) left+=" $suite" ;;
        esac
    done
    if [ -n "$left" ]; then SKIPPED+=("suites that were not asked for:$left"); fi
    case " $SUITES " in
        *' tap '*) if [ -n "${PROVE_TESTS:-}" ]; then SKIPPED+=("tap: all but $PROVE_TESTS"); fi ;;
    esac
    [ ${#SKIPPED[@]} = 0 ] || printf '%s\n' '== not run' "${SKIPPED[@]/#/   }"
}

# One program for each test_*.c, linked with one archive of the core and the machine.
# One that could not be compiled is not there to run, and so fails too.
unit() {
    local test names=()
    for test in "$WORK"/source/test/unit/test_*.c; do
        names+=("$(basename "$test" .c)")
    done
    # below another make it would have no jobs of its own
    # shellcheck disable=SC2016 # the inner shell expands it
    run_suite unit/compile env -u MAKELEVEL -u MAKEFLAGS -u MFLAGS bash -c '
        make -s -k -j "$(nproc)" -C "$1" -f test/pure.mk OUT=pure CC="${CC:-gcc}" \
            SANITIZE=-fsanitize=address,undefined PROGRAMS="$2" &&
            echo "ok 1 - all programs compile"' unit "$WORK/source" "${names[*]/#/unit/}"
    # as many at a time as there are cores; then what each said
    # shellcheck disable=SC2016 # the inner shell expands it
    run_child env --chdir="$WORK/source" bash -c '
        printf "%s\n" "$@" | xargs -P "$(nproc)" -I NAME bash -c "pure/unit/NAME >pure/unit/NAME.log 2>&1; echo \$? >pure/unit/NAME.status"' \
        unit "${names[@]}"
    for test in "${names[@]}"; do
        # shellcheck disable=SC2016 # the inner shell expands it
        run_suite "unit/$test" bash -c 'cat "$1.log" && exit "$(cat "$1.status")"' unit "$WORK/source/pure/unit/$test"
    done
}

# Whether the build had nothing to say.
build() {
    # shellcheck disable=SC2016 # the inner shell expands it
    run_suite build bash -c '! grep -n warning: "$1" && echo "ok 1 - no warning" ' build "$WORK/build.log"
}

files_of() { printf 'test/t/%s.pl ' "$@"; }

# All TAP files but those of apps and load, and Patroni. First those that wait for minutes, as rules go by minutes.
tap_files() {
    local slow='046_incidents 062_real_pools 061_pools 060_trial 056_documentation' file name
    # shellcheck disable=SC2086 # a list of names
    files_of $slow
    for file in "$WORK"/source/test/t/*.pl; do
        name=$(basename "$file" .pl)
        case " $slow $APPS $PATRONI $LOAD " in
            *" $name "*) ;;
            *) files_of "$name" ;;
        esac
    done
}

# installcheck with only the variables given; an empty one leaves a suite out.
installcheck() {
    local name=$1
    shift
    run_suite "$name" env -u PGPORT -u PGUSER -u PGDATABASE \
        make -s -C "$WORK/source" PG_CONFIG="$PG_CONFIG" installcheck "$@"
}

# Programs of others that the suites are tested with. They are fetched while what comes before tap runs.
fetch_programs() {
    case " $SUITES ${PROVE_TESTS:-monitoring}" in
        *" tap"*monitoring* | *" tap"*fleet* | *" fleet "*) fetch_monitoring ;;
    esac
    case " $SUITES ${PROVE_TESTS:-fleet}" in
        *" tap"*fleet* | *" tap"*patroni* | *" fleet "*) fetch_fleet ;;
    esac
    case " $SUITES ${PROVE_TESTS:-}" in
        *" tap"*patroni* | *" fleet "*) fetch_patroni ;;
    esac
    case " $SUITES ${PROVE_TESTS:-report}" in
        *" tap"*report*) fetch_browser ;;
    esac
    case " $SUITES ${PROVE_TESTS:-real_pools}" in
        *" tap"*real_pools* | *" tap"*more_pools* | *" tap"*drivers* | *" apps "*) fetch_pools ;;
    esac
    case " $SUITES ${PROVE_TESTS:-}" in
        *" tap"*more_pools* | *" tap"*drivers* | *" apps "*) fetch_more_pools ;;
    esac
    case " $SUITES ${PROVE_TESTS:-}" in
        *" tap"*java_pools* | *" apps "*) fetch_java ;;
    esac
}

wait_for_programs() {
    if [ -n "$FETCHING" ]; then
        wait "$FETCHING" || fail "could not fetch the programs to test with"
        FETCHING=
    fi
}

prepare
say "== $("$PG_CONFIG" --version)"
set -m
fetch_programs &
FETCHING=$!
set +m
CHILDREN+=("$FETCHING")
mkdir -p "$WORK/unit"
# shellcheck disable=SC2086 # APPS, FLEET and LOAD are lists of names
for suite in $SUITES; do
    case $suite in
        tap | apps | fleet) wait_for_programs ;;
    esac
    case $suite in
        build) build ;;
        lint) run_suite lint env PG_CONFIG="$PG_CONFIG" bash "$WORK/source/test/lint.sh" ;;
        unit) unit ;;
        fuzz) run_suite fuzz env FUZZ_SECONDS="${FUZZ_SECONDS:-2}" bash "$WORK/source/test/fuzz/run.sh" ;;
        regress) installcheck regress ISOLATION= TAP_TESTS= ;;
        isolation) installcheck isolation REGRESS= TAP_TESTS= ;;
        tap) installcheck tap REGRESS= ISOLATION= PROVE_FLAGS="-v --timer -j ${TEST_JOBS:-4}" PROVE_TESTS="${PROVE_TESTS:-$(tap_files)}" ;;
        apps) installcheck apps REGRESS= ISOLATION= PROVE_FLAGS="-v --timer" PROVE_TESTS="$(files_of $APPS)" ;;
        fleet) installcheck fleet REGRESS= ISOLATION= PROVE_FLAGS="-v --timer -j ${TEST_JOBS:-2}" PROVE_TESTS="$(files_of $FLEET)" ;;
        load) installcheck load REGRESS= ISOLATION= PROVE_FLAGS="-v --timer" PROVE_TESTS="$(files_of $LOAD)" ;;
        *) fail "no suite \"$suite\"; there are: $ALL" ;;
    esac
done
say_what_was_skipped
say "$PASSED passed, $FAILED failed"
[ "$FAILED" = 0 ]
