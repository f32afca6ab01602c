#!/usr/bin/env bash
# Starts the gateway: with the config file given, else with the providers that the environment has
# keys for, else with mock providers. Expects `make build` to have run.
#
# usage: scripts/run.sh [CONFIG]
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

scripts/setup.sh envoy
exec "${CARGO_TARGET_DIR:-target}/release/sluice" run "$@"
