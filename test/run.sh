#!/usr/bin/env bash
# Every suite, on a private PostgreSQL; the last line is 'N passed, N failed'.
#
# SUITES="unit tap" runs some of: build lint unit fuzz regress isolation tap.
# PROVE_TESTS=test/t/001_worker.pl runs one TAP file. KEEP=1 keeps the folder.
# shellcheck source=test/private.sh
source "$(dirname "${BASH_SOURCE[0]}")/private.sh"

SUITES=${SUITES:-build lint unit fuzz regress isolation tap}
PASSED=0
FAILED=0

# Cases in an output: TAP, or the format of pg_regress before 16. A TAP file that
# stops in the middle is a case that failed; prove says so at its end.
CASE_PASSED='^ok [0-9]+ |^(test)? +[^ ]+ +\.\.\. ok '
CASE_SKIPPED='^ok [0-9]+ # skip '
CASE_FAILED='^not ok [0-9]+ |^(test)? +[^ ]+ +\.\.\. FAILED|^  Parse errors: '

# run_suite NAME COMMAND...: count the cases, show those that failed. A suite
# that fails without a failed case counts as one.
run_suite() {
    local name=$1 log=$WORK/$1.log status=0 passed failed
    shift
    say "== $name"
    run_child "$@" >"$log" 2>&1 </dev/null || status=$?
    passed=$(grep -E "$CASE_PASSED" "$log" | grep -cvE "$CASE_SKIPPED" || true)
    failed=$(grep -cE "$CASE_FAILED" "$log" || true)
    if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
        failed=1
    fi
    PASSED=$((PASSED + passed))
    FAILED=$((FAILED + failed))
    say "   $passed passed, $failed failed"
    grep -E "$CASE_SKIPPED" "$log" | sed -E "s/$CASE_SKIPPED/   skipped: /" | sort -u || true
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
    if [ "$1" = tap ]; then
        show_failed_tap "$2"
    fi
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

# One program for each test_*.c, with the core and the machine in it.
unit() {
    local test name
    for test in "$WORK"/source/test/unit/test_*.c; do
        name=$(basename "$test" .c)
        # shellcheck disable=SC2016 # the inner shell expands it
        run_suite "unit/$name" bash -c '
            cd "$1" && ${CC:-gcc} -std=gnu99 -g -O1 -fsanitize=address,undefined \
                -fno-sanitize-recover=all -Wall -Wextra -Werror -Isrc \
                -o "test/unit/$2" "test/unit/$2.c" src/core/*.c src/machine/*.c -lm &&
                "test/unit/$2"' unit "$WORK/source" "$name"
    done
}

# Whether the build had nothing to say.
build() {
    # shellcheck disable=SC2016 # the inner shell expands it
    run_suite build bash -c '! grep -n warning: "$1" && echo "ok 1 - no warning" ' build "$WORK/build.log"
}

# installcheck with only the variables given; an empty one leaves a suite out.
installcheck() {
    local name=$1
    shift
    run_suite "$name" env -u PGPORT -u PGUSER -u PGDATABASE \
        make -s -C "$WORK/source" PG_CONFIG="$PG_CONFIG" installcheck "$@"
}

prepare
case " $SUITES ${PROVE_TESTS:-monitoring}" in
    *" tap"*monitoring*) fetch_monitoring ;;
esac
case " $SUITES ${PROVE_TESTS:-report}" in
    *" tap"*report*) fetch_browser ;;
esac
mkdir -p "$WORK/unit"
for suite in $SUITES; do
    case $suite in
        build) build ;;
        lint) run_suite lint env PG_CONFIG="$PG_CONFIG" bash "$WORK/source/test/lint.sh" ;;
        unit) unit ;;
        fuzz) run_suite fuzz env FUZZ_SECONDS="${FUZZ_SECONDS:-2}" bash "$WORK/source/test/fuzz/run.sh" ;;
        regress) installcheck regress ISOLATION= TAP_TESTS= ;;
        isolation) installcheck isolation REGRESS= TAP_TESTS= ;;
        tap) installcheck tap REGRESS= ISOLATION= PROVE_FLAGS=-v ${PROVE_TESTS:+PROVE_TESTS="$PROVE_TESTS"} ;;
        *) fail "no suite \"$suite\"; there are: build lint unit fuzz regress isolation tap" ;;
    esac
done
say "$PASSED passed, $FAILED failed"
[ "$FAILED" = 0 ]
