#!/usr/bin/env bash
# Fuzzes each target of fuzz/ for a bounded time, starting from its checked-in corpus. What is
# found on the way stays in the build folder for the next run; an input that fails goes to
# fuzz/artifacts/. Works with the project's pinned stable compiler: libFuzzer needs its coverage
# instrumentation, and no sanitizer, as the fuzzed code is free of unsafe.
#
# usage: [FUZZ_SECONDS=10] scripts/fuzz.sh [TARGET…]     (no word: all targets)
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly seconds=${FUZZ_SECONDS:-10}
readonly build=${CARGO_TARGET_DIR:-target}/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
readonly host

main() {
    if ! have c++; then
        missing "no C++ compiler for libFuzzer; on Debian and Ubuntu: sudo apt install g++"
        return
    fi
    (($#)) || set -- fuzz/fuzz_targets/*.rs
    compile
    local target failed=0
    for target in "$@"; do
        fuzz "$(basename "$target" .rs)" || failed=$((failed + 1))
    done
    printf '%d passed, %d failed\n' $(($# - failed)) "$failed"
    ((failed == 0))
}

# The flags are those of `cargo fuzz build --sanitizer none`.
compile() {
    RUSTFLAGS="--cfg fuzzing -Cdebug-assertions -Ccodegen-units=1 -Cpasses=sancov-module \
        -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
        -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares" \
        cargo build --manifest-path fuzz/Cargo.toml --release --bins \
        --target "$host" --target-dir "$build" --locked
}

fuzz() {
    local target=$1
    mkdir -p "$build/corpus/$target" "fuzz/artifacts/$target" "fuzz/corpus/$target"
    printf '%-16s' "$target"
    "$build/$host/release/$target" -max_total_time="$seconds" -print_final_stats=1 \
        -artifact_prefix="fuzz/artifacts/$target/" "$build/corpus/$target" "fuzz/corpus/$target" \
        >"$build/$target.log" 2>&1 || { tail -n 40 "$build/$target.log" && return 1; }
    sed -n 's/^stat::number_of_executed_units: */runs: /p' "$build/$target.log"
}

main "$@"
