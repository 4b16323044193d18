#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# fuzz.sh SECONDS FOLDER [TARGET...] - run each libFuzzer program of FOLDER for so long.
#
# A target starts from tests/fuzz/corpus/NAME (the target's name without "fuzz_") and works in
# build/corpus/NAME.  What it finds stays as tests/fuzz/crash-*; copy it into the corpus with the
# fix.
set -euo pipefail
seconds=$1 folder=$2
shift 2
targets=("$@")
if [ $# -eq 0 ]; then
    for source in tests/fuzz/fuzz_*.c; do
        targets+=("$(basename "$source" .c)")
    done
fi

found=0
for target in "${targets[@]}"; do
    name=${target#fuzz_}
    work=build/corpus/$name seeds=tests/fuzz/corpus/$name
    mkdir -p "$work" "$seeds"
    echo "== $target: $seconds s"
    "$folder/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix=tests/fuzz/ "$work" "$seeds" \
        >"build/$target.log" 2>&1 || found=$((found + 1))
    grep -E '^(stat::number_of_exec|SUMMARY|artifact_prefix)' "build/$target.log" || true
done
echo "${#targets[@]} targets, $found with finds"
[ "$found" -eq 0 ]
