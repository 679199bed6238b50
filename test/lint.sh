#!/usr/bin/env bash
# What can be checked without running: warnings as errors with the compilers
# that are there, and rules of the house. Prints TAP.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

PG_CONFIG=${PG_CONFIG:-pg_config}
COUNT=0
FAILED=0

# check NAME: what the standard input says is wrong; nothing is right
check() {
    local found
    found=$(cat)
    COUNT=$((COUNT + 1))
    if [ -z "$found" ]; then
        printf 'ok %d - %s\n' "$COUNT" "$1"
    else
        printf 'not ok %d - %s\n%s\n' "$COUNT" "$1" "$found"
        FAILED=$((FAILED + 1))
    fi
}

SOURCES=$(find src -name '*.[ch]' | sort)
include=$("$PG_CONFIG" --includedir-server)

# the server's headers are not ours to mend
compile_with() {
    for file in $(find src -name '*.c' | sort); do
        "$1" -std=gnu11 -O2 -fsyntax-only -Wall -Wextra -Wdeclaration-after-statement \
            -Werror -Isrc -isystem "$include" -isystem /usr/include/libxml2 "$file" 2>&1
    done
}
for compiler in gcc clang; do
    if command -v "$compiler" >/dev/null; then
        check "no warning from $compiler -Wall -Wextra" < <(compile_with "$compiler")
    fi
done

# shellcheck disable=SC2086 # a list of files
rules() {
    check 'versions are told apart in compat.h only' \
        < <(grep -n PG_VERSION_NUM $SOURCES | grep -v '^src/compat\.h:')
    check 'no banned call' \
        < <(grep -nE '\b(sprintf|strcpy|strcat|gets|strtok|system|popen|alloca)\(' $SOURCES)
    check 'core and machine are plain C' \
        < <(grep -lE '#include "(postgres|utils/|storage/)' src/core/*.[ch] src/machine/*.[ch])
    check 'core does not know the machine' < <(grep -lE '#include "machine/' src/core/*.[ch])
    check 'no white space at the end of a line' \
        < <(grep -nE '[[:space:]]+$' $SOURCES sql/*.sql test/t/*.pl test/*.sh)
    check 'no endless file' \
        < <(wc -l $SOURCES | awk '$2 != "total" && $1 > 550 { print $2 " has " $1 " lines" }')
}
rules

# what is there is documented
settings_without_words() {
    sed -n 's/.*PREFIX "\(\.[a-z_]*\)".*/pool_advisor\1/p' src/settings.c | sort -u | while read -r setting; do
        grep -q "\`$setting\`" README.md || echo "$setting"
    done
}
objects_without_words() {
    sed -n 's/^CREATE \(VIEW\|FUNCTION\) pool_advisor\.\([a-z][a-z_]*\).*/\2/p' sql/pool_advisor--*.sql |
        sort -u | while read -r object; do
        grep -qE "^### $object\b" README.md || echo "$object"
    done
}
columns_without_words() {
    sed -n 's/^COMMENT ON COLUMN pool_advisor\.status\.\([a-z_0-9]*\).*/\1/p' sql/pool_advisor--1.0.sql |
        while read -r column; do
            grep -q "\`$column\`" README.md || echo "$column"
        done
}
codes_without_words() {
    grep -ohE '"[a-z_]+", *"?(server|max_connections|pool_advisor\.cores)|"[a-z_]+", situation' src/core/advice.c |
        sed 's/^"\([a-z_]*\)".*/\1/' | sort -u | while read -r code; do
        grep -q "\`$code\`" README.md || echo "$code"
    done
}
cases_without_output() {
    for file in sql/*.sql; do
        case $file in
            *--*) ;;
            *) [ -e "expected/$(basename "$file" .sql).out" ] || echo "$file" ;;
        esac
    done
    for file in test/isolation/specs/*.spec; do
        [ -e "test/isolation/expected/$(basename "$file" .spec).out" ] || echo "$file"
    done
}
version_in_c() {
    grep -qF "#define PADV_VERSION \"$(sed -n "s/^default_version = '\(.*\)'/\1/p" pool_advisor.control)\"" \
        src/core/metrics.h || echo 'PADV_VERSION is not default_version'
}
check 'the library knows its version' < <(version_in_c)
check 'README names every setting' < <(settings_without_words)
check 'README has a section for every view and function' < <(objects_without_words)
check 'README names every column of status' < <(columns_without_words)
check 'README names every code of advice' < <(codes_without_words)
check 'every case has an expected output' < <(cases_without_output)

if command -v shellcheck >/dev/null; then
    check 'shellcheck' < <(shellcheck -x -P test test/*.sh test/bench/*.sh .ci/run 2>&1)
fi

printf '1..%d\n' "$COUNT"
[ "$FAILED" = 0 ]
