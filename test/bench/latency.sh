# latency.sh: what the histogram of durations adds to a transaction.
#
# Two servers take turns at the loop of empty transactions of run.sh. Both have the library, but
# one of them without the line that counts a transaction by its duration. Then the pure part
# alone. Sourced by run.sh.
# shellcheck shell=bash

# A second library, beside the installed one, for the server with this dynamic_library_path.
build_without_histogram() {
    cp -r "$WORK/source" "$WORK/without_histogram"
    sed -i '/^\tcount_duration(inside);$/d' "$WORK/without_histogram/src/shmem/xact_stats.c"
    if cmp -s "$WORK/source/src/shmem/xact_stats.c" "$WORK/without_histogram/src/shmem/xact_stats.c"; then
        fail 'the line that counts durations is not there'
    fi
    give_to_user "$WORK/without_histogram"
    run_child make -s -C "$WORK/without_histogram" PG_CONFIG="$PG_CONFIG" >"$WORK/build.log" 2>&1 ||
        fail 'could not build the library without histogram'
}

bench_latency() {
    build_without_histogram
    PGPORT=54330 start_server with "shared_preload_libraries = 'pool_advisor'" 'port = 54330'
    PGPORT=54331 start_server without "shared_preload_libraries = 'pool_advisor'" 'port = 54331' \
        "dynamic_library_path = '$WORK/without_histogram:\$libdir'"
    say ''
    say 'latency: a million empty transactions in a loop in the server, ns each, in turn, the library'
    say 'with the histogram of durations and without'
    compare_transactions 'the histogram of durations, for a transaction' 'the library without it, in turn'
    PGPORT=54330 control_server with stop
    PGPORT=54331 control_server without stop

    say ''
    say 'latency: the pure part alone'
    as_user gcc -O2 -std=gnu99 -I"$WORK/source/src" "$WORK/source/test/bench/latency_cost.c" \
        "$WORK/source/src/core/stats/latency.c" -lm -o "$WORK/tmp/latency_cost"
    as_user "$WORK/tmp/latency_cost"
}
