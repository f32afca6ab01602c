#!/usr/bin/env bash
# Known vulnerabilities and yanked releases among the dependencies, by the database of RustSec. Where that
# cannot be fetched, says so: an old copy would say that all is well.
#
# usage: scripts/advisories.sh     (after `scripts/setup.sh deny`)
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[[ -x .tools/bin/cargo-deny ]] || die "cargo-deny is not installed: scripts/setup.sh deny"
if ! .tools/bin/cargo-deny fetch db; then
    missing "advisories were NOT checked: the database (github.com/rustsec/advisory-db) cannot be reached"
    exit 0
fi
exec .tools/bin/cargo-deny check --disable-fetch advisories
