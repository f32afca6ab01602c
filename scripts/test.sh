#!/usr/bin/env bash
# Runs the stages given, in order, up to the first that fails, and says how long each took.
#
# usage: scripts/test.sh STAGE…     (verbs of the Makefile)
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

main() {
    local stage start report=""
    for stage in "$@"; do
        printf '\n==> make %s\n' "$stage"
        start=$SECONDS
        make --no-print-directory "$stage" || die "make $stage failed"
        report+=$(printf '%6d s  %s' $((SECONDS - start)) "$stage")$'\n'
    done
    printf '\n==> every stage passed\n%s' "$report"
}

main "$@"
