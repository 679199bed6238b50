#!/usr/bin/env bash
# libFuzzer on each target, for FUZZ_SECONDS each; FUZZ="machine model" runs some.
# Prints TAP: a target passes when nothing was found; what was found is kept
# under $TMPDIR and named. Needs clang with its fuzzer, and skips without.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

SECONDS_EACH=${FUZZ_SECONDS:-60}
FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/pool_advisor.fuzz.XXXXXX")
CALLS=open,read,close,stat,realpath,readlink,opendir,readdir,closedir
COUNT=0
FAILED=0
CHILD=

# with what was found it is kept
clean_up() {
    [ -z "$CHILD" ] || kill "$CHILD" 2>/dev/null
    [ "$FAILED" != 0 ] || rm -rf "$FOLDER"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

all_targets() { for file in test/fuzz/fuzz_*.c; do basename "${file#test/fuzz/fuzz_}" .c; done; }

# What all targets share is compiled once. The calls are wrapped in one target only.
build() {
    env -u MAKELEVEL -u MAKEFLAGS -u MFLAGS make -s -j "$(nproc)" -f test/pure.mk OUT="$FOLDER/pure" CC=clang \
        SANITIZE=-fsanitize=fuzzer-no-link,address,undefined LINK=-fsanitize=fuzzer \
        LINK_fuzz_machine="-Wl,--wrap=${CALLS//,/,--wrap=}" PROGRAMS="fuzz/fuzz_$1" >"$FOLDER/$1.build" 2>&1 ||
        { head -n 60 "$FOLDER/$1.build" && return 1; }
}

run() {
    local name=$1 log=$FOLDER/$1.log dictionary=() seeds=()
    if [ -e "test/fuzz/seeds/$name.dict" ]; then dictionary=("-dict=test/fuzz/seeds/$name.dict"); fi
    if [ -e "test/fuzz/seeds/$name" ]; then seeds=("test/fuzz/seeds/$name"); fi
    mkdir -p "$FOLDER/corpus_$name"
    "$FOLDER/pure/fuzz/fuzz_$name" -max_total_time="$SECONDS_EACH" -max_len=20000 -timeout=20 -print_final_stats=1 \
        "${dictionary[@]}" -artifact_prefix="$FOLDER/$name." \
        "$FOLDER/corpus_$name" "${seeds[@]}" >"$log" 2>&1 &
    CHILD=$!
    wait "$CHILD" && CHILD= && return 0
    CHILD=
    grep -vE '^#[0-9]+' "$log" | head -n 60
    return 1
}

# libFuzzer is a library of its own, which clang may come without
can_fuzz() {
    command -v clang >/dev/null &&
        printf 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return d && n ? 0 : 0; }\n' |
        clang -x c -fsanitize=fuzzer,address,undefined -o "$FOLDER/probe" - >/dev/null 2>&1
}

can=yes
can_fuzz || can=
for name in ${FUZZ:-$(all_targets)}; do
    COUNT=$((COUNT + 1))
    if [ -z "$can" ]; then
        printf 'ok %d # skip fuzz_%s: clang with libFuzzer (libclang-rt-dev) is not there\n' "$COUNT" "$name"
    elif build "$name" && run "$name"; then
        printf 'ok %d - fuzz_%s: %s inputs in %s s\n' "$COUNT" "$name" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$FOLDER/$name.log")" "$SECONDS_EACH"
    else
        printf 'not ok %d - fuzz_%s: see %s\n' "$COUNT" "$name" "$FOLDER"
        FAILED=$((FAILED + 1))
    fi
done
printf '1..%d\n' "$COUNT"
[ "$FAILED" = 0 ]
