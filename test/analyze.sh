#!/usr/bin/env bash
# What three static analyzers find in the source: gcc -fanalyzer, clang-tidy,
# cppcheck. Prints TAP. Nothing is written but under $TMPDIR. An analyzer that is
# not there is skipped. What is left out below is left out for the reason told.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

PG_CONFIG=${PG_CONFIG:-pg_config}
COUNT=0
FAILED=0
include=$("$PG_CONFIG" --includedir-server) || exit 1
FLAGS=(-std=gnu11 -D_GNU_SOURCE -Isrc -isystem "$include" -isystem /usr/include/libxml2)
mapfile -t FILES < <(find src -name '*.c' | sort)
mapfile -t PURE < <(find src/core src/machine -name '*.c' | sort)

# check TOOL NAME COMMAND...: what the command says is wrong; nothing is right
check() {
    local tool=$1 name=$2 found
    shift 2
    COUNT=$((COUNT + 1))
    if ! command -v "$tool" >/dev/null; then
        printf 'ok %d # skip %s: not installed\n' "$COUNT" "$name"
        return
    fi
    found=$("$@" 2>&1)
    if [ -z "$found" ]; then
        printf 'ok %d - %s\n' "$COUNT" "$name"
    else
        printf 'not ok %d - %s\n%s\n' "$COUNT" "$name" "$found"
        FAILED=$((FAILED + 1))
    fi
}

# Not optimized, or what is never read again is gone before it is looked at.
with_gcc() {
    local file
    for file in "${FILES[@]}"; do
        gcc "${FLAGS[@]}" -O0 -fanalyzer -c -o /dev/null "$file"
    done
}

# What is asked for, less what says nothing here:
#   bugprone-easily-swappable-parameters: nearly each function of two numbers
#   bugprone-narrowing-conversions: counts become doubles all the time
#   bugprone-implicit-widening-of-multiplication-result: products of small constants
#   bugprone-misplaced-widening-cast: int64_t to long long, for printf
#   bugprone-reserved-identifier: the C names of SQL functions begin with _
#   cert-flp30-c, clang-analyzer-security.FloatLoopCounter: doubles that count whole
#     numbers, powers of ten or the ticks of an axis, of which the last may be half a step off
#   misc-redundant-expression: O_RDONLY and PG_BINARY are both 0
#   clang-analyzer-valist.Uninitialized: does not know va_start() of clang 14 itself
#   clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling: wants
#     memcpy_s, which neither glibc nor PostgreSQL has
#   performance-no-int-to-ptr: Datum
TIDY='-*,clang-analyzer-*,bugprone-*,performance-*,portability-*,misc-misplaced-const'
TIDY+=,cert-err34-c,cert-msc30-c,cert-str34-c,misc-static-assert
TIDY+=,-bugprone-easily-swappable-parameters,-bugprone-narrowing-conversions
TIDY+=,-bugprone-implicit-widening-of-multiplication-result,-bugprone-misplaced-widening-cast
TIDY+=,-bugprone-reserved-identifier,-performance-no-int-to-ptr
TIDY+=,-clang-analyzer-security.FloatLoopCounter,-clang-analyzer-valist.Uninitialized
TIDY+=,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling

# What is in the server's macros is not ours.
with_clang_tidy() {
    clang-tidy --quiet --checks="$TIDY" --warnings-as-errors='*' "${FILES[@]}" -- "${FLAGS[@]}" 2>&1 |
        grep -vE '^[0-9]+ warnings? (and [0-9]+ errors? )?(generated|treated)|^Suppressed|^Use -(header|system)|^$'
}

# It guesses at the server's macros, so only what has none is looked at.
with_cppcheck() {
    cppcheck --quiet --std=c99 --language=c --enable=warning,performance,portability --inline-suppr \
        --suppress=missingInclude -Isrc "${PURE[@]}"
}

check gcc 'gcc -fanalyzer finds nothing' with_gcc
check clang-tidy 'clang-tidy finds nothing' with_clang_tidy
check cppcheck 'cppcheck finds nothing in core and machine' with_cppcheck
printf '1..%d\n' "$COUNT"
[ "$FAILED" = 0 ]
