# Shared by the scripts in this folder; source it, with `root` as the working directory afterwards.
# shellcheck shell=bash

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# One clear line, and the end.
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Something that a stage needs is not on this machine: a visible skip on a laptop (the caller then
# returns), a failure on CI, where every stage has to run.
missing() {
    [[ ${CI:-} != true ]] || die "$*"
    printf 'SKIPPED: %s\n' "$*" >&2
}

have() {
    command -v "$1" >/dev/null 2>&1
}
